import type { ServerResponse } from 'node:http';
import { answerHeaders } from '../attempt/answer-headers.ts';
import type { Failure } from '../attempt/failure.ts';
import { errorBody } from '../formats/openai/error-body.ts';
import { exhaustedStatus, mostTellingFailure } from './most-telling-failure.ts';
import type { AttemptRecord } from './run-chain.ts';

export interface Refusal {
  status: number;
  message: string;
  type: string;
  code: string;
  param?: string | null;
  headers?: Record<string, string>;
}

/** Answers what never came to an attempt, in OpenAI's form. */
export function writeRefusal(response: ServerResponse, refusal: Refusal): void {
  const { status, message, type, code, param = null, headers = {} } = refusal;
  const noRetry = status < 500 ? { 'x-should-retry': 'false' } : {};
  writeJson(response, status, errorBody({ message, type, param, code }), { ...noRetry, ...headers });
}

/** Gives a provider's own words about the request to the client, as they came. */
export function writeFinal(response: ServerResponse, failure: Failure, understudyHeaders: readonly string[]): void {
  const { answer } = failure;
  if (answer === undefined) {
    const type = 'invalid_request_error';
    // What was told in an answer of 200 is no answer of 200.
    const status = failure.status !== undefined && failure.status >= 400 ? failure.status : 400;
    return writeJson(response, status, errorBody({ message: failure.message, type, param: null, code: failure.code }), {
      ...pairs(understudyHeaders),
      'x-should-retry': 'false',
    });
  }
  const headers = [...answerHeaders(answer.headers, undefined), ...understudyHeaders];
  response.writeHead(answer.status, [...headers, 'x-should-retry', 'false', 'content-length', String(answer.body.length)]);
  response.end(answer.body);
}

/**
 * Answers a request that no target could: the most telling failure, every attempt as evidence, and `x-should-retry: false`, since an SDK that
 * tried again would only multiply what was tried already.
 */
export function writeExhausted(
  response: ServerResponse,
  route: string,
  failures: readonly Failure[],
  attempts: readonly AttemptRecord[],
  understudyHeaders: readonly string[],
): void {
  const failure = mostTellingFailure(failures);
  const status = exhaustedStatus(failure);
  const last = failure === undefined ? 'no target was left to try' : failure.message;
  const message = `No target of route "${route}" could answer (${attempts.length} attempts). Most telling: ${last}`;
  const retryAfter = Math.min(...failures.map(({ retryAfterMs }) => retryAfterMs ?? Number.POSITIVE_INFINITY));
  writeJson(
    response,
    status,
    errorBody({
      message,
      type: status === 429 ? 'rate_limit_error' : 'server_error',
      param: null,
      code: failure?.code ?? 'no_target',
      attempts: attempts.map(({ message: _, ...evidence }) => evidence),
    }),
    {
      ...pairs(understudyHeaders),
      'x-should-retry': 'false',
      ...(Number.isFinite(retryAfter) ? { 'retry-after': String(Math.ceil(retryAfter / 1_000)) } : {}),
    },
  );
}

function pairs(list: readonly string[]): Record<string, string> {
  return Object.fromEntries(list.flatMap((name, index) => (index % 2 === 0 ? [[name, list[index + 1] as string]] : [])));
}

function writeJson(response: ServerResponse, status: number, body: string, headers: Record<string, string>): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...headers });
  response.end(body);
}
