import { type Answer, type AnswerContext, type AnswerEvent, chunksOf, countTokens, layOut, usageOf } from './answer.ts';
import { sayText } from './chat-answer.ts';

export interface CompletionRequest {
  model: string;
  prompt: unknown;
  stream?: boolean;
  stream_options?: { include_usage?: boolean };
}

/** The older API: a text for a text. */
export function answerCompletion(request: CompletionRequest, context: AnswerContext): Answer {
  const prompt = typeof request.prompt === 'string' ? request.prompt : JSON.stringify(request.prompt ?? '');
  const text = sayText(context.lab, request.model, prompt);
  const usage = usageOf(countTokens(prompt), countTokens(text));
  const id = `cmpl-${context.lab}${context.number}`;
  const model = `${request.model}${context.modelSuffix}`;
  const head = { id, object: 'text_completion', created: context.created };
  if (!request.stream) {
    const choices = [{ text, index: 0, logprobs: null, finish_reason: 'stop' }];
    return { kind: 'unary', status: 200, headers: {}, body: layOut({ ...head, model, choices, usage }) };
  }
  const includeUsage = request.stream_options?.include_usage === true;
  const unused = includeUsage ? { usage: null } : {};
  const chunks = chunksOf(text);
  const events = chunks.map((piece, order): AnswerEvent => {
    const choice = { text: piece, index: 0, logprobs: null, finish_reason: order === chunks.length - 1 ? 'stop' : null };
    return { part: 'content', data: JSON.stringify({ ...head, choices: [choice], model, ...unused }) };
  });
  const last: AnswerEvent[] = includeUsage
    ? [{ part: 'usage', data: JSON.stringify({ ...head, model, usage, choices: [] }) }]
    : [];
  return { kind: 'stream', headers: {}, events: [...events, ...last, { part: 'done', data: '[DONE]' }] };
}
