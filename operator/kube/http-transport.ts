import { type Dispatcher, errors as undiciErrors } from 'undici';
import type { ConnectionSource } from './connection.ts';
import { KubeError, kubeErrorCode } from './kube-error.ts';
import {
  CALL_TIMEOUT_MS,
  type KubeRequest,
  type KubeStreamRequest,
  type KubeTransport,
  MAX_ANSWER_BYTES,
} from './kube-transport.ts';

/** Of an answer that is no success, only this much is read: enough for a `metav1.Status`. */
const MAX_ERROR_BYTES = 64 * 1024;
/** A validation message repeats the value that it refuses. */
const MAX_MESSAGE_LENGTH = 2_000;
/** A watch is answered at once, long before its first event. */
const STREAM_START_TIMEOUT_MS = 30_000;

export function createHttpTransport(connections: ConnectionSource, userAgent: string): KubeTransport {
  async function send(
    call: { method: KubeRequest['method']; path: string; query?: KubeRequest['query'] },
    options: Partial<Pick<Dispatcher.RequestOptions, 'body' | 'headersTimeout' | 'bodyTimeout'>> & {
      contentType?: string | undefined;
    },
    signal: AbortSignal,
  ): Promise<Dispatcher.ResponseData> {
    const { server, headers, dispatcher } = await connections.current();
    const url = new URL(server);
    const { contentType, ...rest } = options;
    return await dispatcher.request({
      origin: url.origin,
      path: `${url.pathname.replace(/\/$/, '')}${call.path}${toQueryString(call.query)}`,
      method: call.method,
      headers: {
        ...headers,
        accept: 'application/json',
        'user-agent': userAgent,
        ...(contentType ? { 'content-type': contentType } : {}),
      },
      signal,
      ...rest,
    });
  }

  return {
    async request<T>(call: KubeRequest): Promise<T> {
      const name = `${call.method} ${call.path}`;
      const limit = timeLimit(call.timeoutMs ?? CALL_TIMEOUT_MS, call.signal);
      try {
        const body =
          call.body === undefined ? {} : { body: JSON.stringify(call.body), contentType: call.contentType ?? 'application/json' };
        const answer = await send(call, body, limit.signal);
        if (answer.statusCode >= 300) throw await answeredError(name, answer);
        return parse<T>(name, await readBody(name, answer.body, MAX_ANSWER_BYTES));
      } catch (error) {
        throw brokenError(name, error, call.signal);
      } finally {
        limit.end();
      }
    },

    async stream(call: KubeStreamRequest): Promise<AsyncIterable<Buffer>> {
      const name = `WATCH ${call.path}`;
      try {
        const timeouts = { headersTimeout: STREAM_START_TIMEOUT_MS, bodyTimeout: call.idleTimeoutMs };
        const answer = await send({ method: 'GET', path: call.path, query: call.query }, timeouts, call.signal);
        if (answer.statusCode >= 300) throw await answeredError(name, answer);
        return chunks(name, answer.body, call.signal);
      } catch (error) {
        throw brokenError(name, error, call.signal);
      }
    },

    close: () => connections.close(),
  };
}

async function* chunks(name: string, body: AsyncIterable<Buffer>, signal: AbortSignal): AsyncIterable<Buffer> {
  try {
    yield* body;
  } catch (error) {
    throw brokenError(name, error, signal);
  }
}

/** A signal that is aborted by the caller's or after a time; `end` takes the listener off the caller's, which may live for as long as the process. */
function timeLimit(timeoutMs: number, outer: AbortSignal | undefined): { signal: AbortSignal; end: () => void } {
  const controller = new AbortController();
  const abort = () => controller.abort(outer?.reason);
  if (outer?.aborted) abort();
  outer?.addEventListener('abort', abort, { once: true });
  const timer = setTimeout(
    () => controller.abort(new DOMException(`no answer within ${timeoutMs} ms`, 'TimeoutError')),
    timeoutMs,
  );
  return {
    signal: controller.signal,
    end: () => {
      clearTimeout(timer);
      outer?.removeEventListener('abort', abort);
    },
  };
}

async function readBody(name: string, body: AsyncIterable<Buffer>, maxBytes: number): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of body) {
    size += part.length;
    if (size > maxBytes)
      throw new KubeError({ code: 'Unexpected', request: name, message: `the answer is longer than ${maxBytes} bytes` });
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function parse<T>(name: string, text: string): T {
  try {
    return JSON.parse(text) as T;
  } catch (cause) {
    throw new KubeError({
      code: 'Unexpected',
      request: name,
      message: 'the answer is not JSON: is this address an API server?',
      cause,
    });
  }
}

async function answeredError(name: string, answer: Dispatcher.ResponseData): Promise<KubeError> {
  const text = await readBody(name, answer.body, MAX_ERROR_BYTES);
  const retryAfter = Number(answer.headers['retry-after']);
  return statusError(name, answer.statusCode, parseStatus(text), Number.isFinite(retryAfter) ? retryAfter * 1_000 : undefined);
}

/** The part of `metav1.Status` that is read. */
export interface StatusBody {
  code?: number;
  reason?: string;
  message?: string;
  details?: { causes?: { reason?: string }[] };
}

/** A refusal in the API server's own form, be it an answer or an `ERROR` event of a watch. */
export function statusError(request: string, status: number, body: StatusBody, retryAfterMs?: number): KubeError {
  // A server that was restored from a backup is behind what we know: waiting for the future does not help, listing again does.
  const fromTheFuture = body.details?.causes?.some((cause) => cause.reason === 'ResourceVersionTooLarge') ?? false;
  // Server-side apply of an unknown field is answered with 500, though trying again will never help.
  const isUndeclared = body.message?.includes('field not declared in schema') ?? false;
  return new KubeError({
    code: fromTheFuture ? 'Expired' : isUndeclared ? 'Invalid' : kubeErrorCode(status, body.reason),
    request,
    status,
    reason: body.reason,
    message: (body.message ?? `HTTP status ${status}`).slice(0, MAX_MESSAGE_LENGTH),
    retryAfterMs,
  });
}

function parseStatus(text: string): StatusBody {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === 'object' && body !== null && 'kind' in body && body.kind === 'Status') return body as StatusBody;
  } catch {
    // Not from the API server but from something before it, such as a load balancer: its words are all there is.
  }
  return { message: text };
}

/** Whatever went wrong without an answer. */
function brokenError(request: string, error: unknown, outer: AbortSignal | undefined): KubeError {
  if (error instanceof KubeError) return error;
  if (outer?.aborted) return new KubeError({ code: 'Aborted', request, message: 'given up by the caller', cause: error });
  const message = error instanceof Error ? error.message : String(error);
  const timedOut =
    error instanceof undiciErrors.HeadersTimeoutError ||
    error instanceof undiciErrors.BodyTimeoutError ||
    (error instanceof DOMException && error.name === 'TimeoutError');
  return new KubeError({ code: timedOut ? 'Timeout' : 'Unreachable', request, message, cause: error });
}

function toQueryString(query: KubeRequest['query']): string {
  const given = Object.entries(query ?? {}).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`;
}
