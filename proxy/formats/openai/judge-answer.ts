import { classifyErrorObject } from '../../attempt/classify-response.ts';
import type { Failure } from '../../attempt/failure.ts';
import { readProviderError } from '../../attempt/read-provider-error.ts';
import type { Operation } from './operations.ts';
import { scanObject, wantedKeys } from './scan-object.ts';

/** Vectors make answers long; beyond this the structure is looked at, without making objects of the numbers. */
const PARSE_UP_TO = 64 * 1024;

/** A choice, or an entry of embeddings. */
interface AnswerItem {
  message?: unknown;
  text?: unknown;
  embedding?: unknown;
  error?: unknown;
}

/** Whether a unary answer of 200 is one: `undefined`, or what is wrong. Providers answer 200 with an error, with nothing, or with half of it. */
export function judgeAnswer(operation: Operation, body: Buffer): Failure | undefined {
  const list = operation === 'embeddings' ? 'data' : 'choices';
  if (operation === 'embeddings' && body.length > PARSE_UP_TO) return judgeLongAnswer(list, body);
  let answer: unknown;
  try {
    answer = JSON.parse(body.toString('utf8'));
  } catch {
    return malformed('not_json', body.length === 0 ? 'the answer is empty' : 'the answer is not valid JSON');
  }
  if (typeof answer !== 'object' || answer === null) return malformed('not_json', 'the answer is not a JSON object');
  const { error, [list]: items } = answer as Record<string, unknown>;
  if (error !== undefined && error !== null) {
    return classifyErrorObject(readProviderError(body.toString('utf8')) ?? { message: 'error body', type: '', code: '' });
  }
  if (!Array.isArray(items)) return malformed(`no_${list}`, `the answer has no ${list}`);
  if (items.length === 0) return malformed(`empty_${list}`, `the answer has an empty list of ${list}`);
  for (const item of items) {
    const failure = judgeItem(operation, item);
    if (failure !== undefined) return failure;
  }
  return undefined;
}

function judgeItem(operation: Operation, item: AnswerItem | null): Failure | undefined {
  // OpenRouter's place for a failure of the provider behind it.
  if (typeof item?.error === 'object' && item.error !== null)
    return classifyErrorObject(readProviderError(JSON.stringify(item)) ?? { message: 'error in a choice', type: '', code: '' });
  switch (operation) {
    case 'chat':
      if (typeof item?.message === 'object' && item.message !== null) return undefined;
      return malformed('no_message', 'the answer has a choice without a message');
    case 'completions':
      if (typeof item?.text === 'string') return undefined;
      return malformed('no_text', 'the answer has a choice without a text');
    case 'embeddings':
      if (Array.isArray(item?.embedding) || typeof item?.embedding === 'string') return undefined;
      return malformed('no_embedding', 'the answer has an entry without a vector');
  }
}

function judgeLongAnswer(list: string, body: Buffer): Failure | undefined {
  const spans = scanObject(body, wantedKeys(list));
  if (spans === undefined) return malformed('not_json', 'the answer is not valid JSON');
  const [items] = spans;
  if (items === undefined || body[items.start] !== '['.charCodeAt(0)) return malformed(`no_${list}`, `the answer has no ${list}`);
  return undefined;
}

function malformed(code: string, message: string): Failure {
  return { class: 'Malformed', code, message };
}
