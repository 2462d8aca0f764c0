import { type Span, scanObject, wantedKeys } from './scan-object.ts';

/** What a request asks for, and its bytes, of which only `model` is ever changed. */
export interface OpenAIRequest {
  model: string;
  stream: boolean;
  body: Buffer;
  /** Where the value of `model` stands in `body`. */
  modelSpan: Span;
}

export type RequestProblem = { problem: string; param: string | null };

const WANTED = wantedKeys('model', 'stream');

/** Reads a request body. One scan over the bytes; a full parse only for the odd ones (a repeated key, or no sound JSON). */
export function readRequest(body: Buffer): OpenAIRequest | RequestProblem {
  const spans = scanObject(body, WANTED);
  if (spans === undefined) return readOddRequest(body);
  const [modelSpan, streamSpan] = spans;
  if (modelSpan === undefined) return { problem: 'you must provide a model parameter', param: 'model' };
  const model = parseSpan(body, modelSpan);
  if (typeof model !== 'string' || model === '') return { problem: 'model must be a string that is not empty', param: 'model' };
  const stream = streamSpan === undefined ? false : parseSpan(body, streamSpan);
  if (stream !== true && stream !== false && stream !== null) return { problem: 'stream must be true or false', param: 'stream' };
  return { model, stream: stream === true, body, modelSpan };
}

/** The same body for another model. One copy; none when the name is the same. */
export function withModel(request: OpenAIRequest, model: string): Buffer {
  if (model === request.model) return request.body;
  const { body, modelSpan } = request;
  const value = Buffer.from(JSON.stringify(model));
  const changed = Buffer.allocUnsafe(body.length - (modelSpan.end - modelSpan.start) + value.length);
  body.copy(changed, 0, 0, modelSpan.start);
  value.copy(changed, modelSpan.start);
  body.copy(changed, modelSpan.start + value.length, modelSpan.end);
  return changed;
}

function parseSpan(body: Buffer, span: Span): unknown {
  try {
    return JSON.parse(body.toString('utf8', span.start, span.end));
  } catch {
    return undefined;
  }
}

/** Parsed and written again, so that one unambiguous `model` is in it: a provider must not read another one than the route was chosen by. */
function readOddRequest(body: Buffer): OpenAIRequest | RequestProblem {
  let written: Buffer;
  try {
    const parsed: unknown = JSON.parse(body.toString('utf8'));
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
      return { problem: 'the body must be a JSON object', param: null };
    }
    written = Buffer.from(JSON.stringify(parsed));
  } catch (error) {
    return { problem: `the body is not valid JSON: ${(error as Error).message}`, param: null };
  }
  return readRequest(written);
}
