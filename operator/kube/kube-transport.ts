/** One call, answered as a whole. */
export interface KubeRequest {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  path: string;
  query?: Record<string, string | undefined>;
  /** Sent as JSON. */
  body?: unknown;
  /** Default: `application/json`. */
  contentType?: string;
  signal?: AbortSignal | undefined;
  /** Limit on the whole call. Default: `CALL_TIMEOUT_MS`. */
  timeoutMs?: number | undefined;
}

/** One call whose answer is a stream: a watch. */
export interface KubeStreamRequest {
  path: string;
  query?: Record<string, string | undefined>;
  signal: AbortSignal;
  /** Longest silence: a connection that died without a word looks just like a quiet one. */
  idleTimeoutMs: number;
}

/**
 * How the API server is reached: address, TLS, credentials and time limits. Knows HTTP, and nothing of kinds.
 * All failures are `KubeError`s, also those of an open stream.
 */
export interface KubeTransport {
  request<T>(request: KubeRequest): Promise<T>;
  /** Resolves when the server has begun to answer. Ends as the answer ends; throws when it breaks off. */
  stream(request: KubeStreamRequest): Promise<AsyncIterable<Buffer>>;
  close(): Promise<void>;
}

/** The API server's own limit on a call that is no watch is 60 s; half of it leaves room for a second try within a reconcile. */
export const CALL_TIMEOUT_MS = 30_000;
/** A page of 500 objects of the size of a full ConfigMap would be more: such a page is no list that this operator asks for. */
export const MAX_ANSWER_BYTES = 128 * 1024 * 1024;
