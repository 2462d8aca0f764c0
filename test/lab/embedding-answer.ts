import { createHash } from 'node:crypto';
import { type Answer, type AnswerContext, countTokens, layOut } from './answer.ts';

const DIMENSIONS = 8;

export interface EmbeddingRequest {
  model: string;
  input: string | string[];
  encoding_format?: 'float' | 'base64';
}

/** Vectors made of the text and the lab's name: equal for equal input, and they differ between labs. */
export function answerEmbedding(request: EmbeddingRequest, context: AnswerContext): Answer {
  const inputs = Array.isArray(request.input) ? request.input : [request.input];
  const data = inputs.map((input, index) => {
    const vector = embed(`${context.lab}\n${String(input)}`);
    return { object: 'embedding', index, embedding: request.encoding_format === 'base64' ? asBase64(vector) : [...vector] };
  });
  const tokens = inputs.reduce((sum, input) => sum + countTokens(String(input)), 0);
  const usage = { prompt_tokens: tokens, total_tokens: tokens };
  return { kind: 'unary', status: 200, headers: {}, body: layOut({ object: 'list', data, model: request.model, usage }) };
}

export function embed(text: string): Float32Array {
  const digest = createHash('sha256').update(text).digest();
  return Float32Array.from({ length: DIMENSIONS }, (_, index) => (digest.readUInt16BE(index * 2) - 0x8000) / 0x8000);
}

function asBase64(vector: Float32Array): string {
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString('base64');
}
