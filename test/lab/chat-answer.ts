import { type Answer, type AnswerContext, type AnswerEvent, chunksOf, countTokens, layOut, usageOf } from './answer.ts';

/** A prompt with this in it is answered with a call of the first tool, when tools are offered. */
export const TOOL_MARKER = '[use a tool]';
/** A prompt with this in it, and a number, is answered with so many words: `[200 words]`. */
const LENGTH_MARKER = /\[(\d{1,6}) words\]/;

export interface ChatRequest {
  model: string;
  messages: { role: string; content?: unknown }[];
  stream?: boolean;
  stream_options?: { include_usage?: boolean };
  tools?: { type: string; function?: { name: string } }[];
}

export function answerChat(request: ChatRequest, context: AnswerContext): Answer {
  const prompt = textOf(request.messages);
  const tool = prompt.includes(TOOL_MARKER) ? request.tools?.[0]?.function?.name : undefined;
  const text = sayText(context.lab, request.model, prompt);
  const usage = usageOf(countTokens(prompt), tool ? 12 : countTokens(text));
  const identity = {
    id: `chatcmpl-${context.lab}${context.number}`,
    created: context.created,
    model: `${request.model}${context.modelSuffix}`,
    service_tier: 'default',
    system_fingerprint: null,
  };
  const call = tool && { id: `call_${context.lab}${context.number}`, name: tool, arguments: toolArguments(context.lab) };
  if (request.stream) {
    const parts = call ? callParts(call) : textParts(text);
    return {
      kind: 'stream',
      headers: {},
      events: events(identity, parts, usage, request.stream_options?.include_usage === true),
    };
  }
  const message = call
    ? {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: call.id, type: 'function', function: { name: call.name, arguments: call.arguments } }],
        refusal: null,
        annotations: [],
      }
    : { role: 'assistant', content: text, refusal: null, annotations: [] };
  const choices = [{ index: 0, message, finish_reason: call ? 'tool_calls' : 'stop' }];
  const body = layOut({ ...identity, object: 'chat.completion', choices, usage });
  return { kind: 'unary', status: 200, headers: {}, body };
}

/** The same for every run, and it says who answered. */
export function sayText(lab: string, model: string, prompt: string): string {
  const words = Number(LENGTH_MARKER.exec(prompt)?.[1] ?? 0);
  if (words > 0) return `This is ${lab}: ${Array.from({ length: words }, (_, index) => `word${index}`).join(' ')}`;
  return `This is ${lab}, answering as ${model}. Every word of this answer, even 🎭 and naïveté, is one chunk of a stream.`;
}

export function toolArguments(lab: string): string {
  return JSON.stringify({ location: `the city of ${lab}`, unit: 'celsius' });
}

interface Delta {
  part: AnswerEvent['part'];
  delta: object;
  finish?: string;
}

function textParts(text: string): Delta[] {
  return [
    { part: 'role', delta: { role: 'assistant', content: '', refusal: null } },
    ...chunksOf(text).map((content) => ({ part: 'content' as const, delta: { content } })),
    { part: 'finish', delta: {}, finish: 'stop' },
  ];
}

/** OpenAI streams the arguments of a call in pieces, after a first delta with its id and name. */
function callParts(call: { id: string; name: string; arguments: string }): Delta[] {
  const pieces = call.arguments.match(/.{1,8}/gs) ?? [];
  const first = { index: 0, id: call.id, type: 'function', function: { name: call.name, arguments: '' } };
  return [
    { part: 'content', delta: { role: 'assistant', content: null, tool_calls: [first], refusal: null } },
    ...pieces.map((piece) => ({
      part: 'content' as const,
      delta: { tool_calls: [{ index: 0, function: { arguments: piece } }] },
    })),
    { part: 'finish', delta: {}, finish: 'tool_calls' },
  ];
}

function events(
  identity: { id: string; created: number; model: string; service_tier: string; system_fingerprint: null },
  deltas: Delta[],
  usage: object,
  includeUsage: boolean,
): AnswerEvent[] {
  const { id, created, model, service_tier, system_fingerprint } = identity;
  const head = { id, object: 'chat.completion.chunk', created, model, service_tier, system_fingerprint };
  const chunk = (choices: object[], ownUsage: object | null, order: number) =>
    JSON.stringify({ ...head, choices, ...(includeUsage && { usage: ownUsage }), obfuscation: obfuscation(order) });
  const body = deltas.map(({ part, delta, finish }, order): AnswerEvent => {
    return { part, data: chunk([{ index: 0, delta, finish_reason: finish ?? null }], null, order) };
  });
  const last: AnswerEvent[] = includeUsage ? [{ part: 'usage', data: chunk([], usage, body.length) }] : [];
  return [...body, ...last, { part: 'done', data: '[DONE]' }];
}

/** Padding against guessing a chunk's text from its length. */
function obfuscation(order: number): string {
  return 'NoPeeKiNgHeRePlEaSe'.slice(0, 1 + ((order * 7) % 19));
}

function textOf(messages: ChatRequest['messages']): string {
  return messages.map(({ content }) => (typeof content === 'string' ? content : JSON.stringify(content ?? ''))).join('\n');
}
