import { classifyErrorObject } from '../../attempt/classify-response.ts';
import type { Failure } from '../../attempt/failure.ts';
import { readProviderError } from '../../attempt/read-provider-error.ts';
import type { Operation } from './operations.ts';
import { scanObject, wantedKeys } from './scan-object.ts';

/** Vectors make answers long; beyond this the structure is looked at, without making objects of the numbers. */
const PARSE_UP_TO = 64 * 1024;

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
  return operation === 'embeddings' ? undefined : judgeChoices(operation, items);
}

function judgeChoices(
  operation: Operation,
  choices: readonly ({ message?: unknown; error?: unknown } | null)[],
): Failure | undefined {
  for (const choice of choices) {
    // OpenRouter's place for a failure of the provider behind it.
    if (typeof choice?.error === 'object' && choice.error !== null)
      return classifyErrorObject(
        readProviderError(JSON.stringify(choice)) ?? { message: 'error in a choice', type: '', code: '' },
      );
    if (operation === 'chat' && (typeof choice?.message !== 'object' || choice.message === null))
      return malformed('no_message', 'the answer has a choice without a message');
  }
  return undefined;
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
