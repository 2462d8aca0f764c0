/**
 * What went wrong at the API server, in the words that decide what follows.
 *
 * - `NotFound`, `AlreadyExists`, `Conflict` (someone else wrote first), `Invalid` (refused by schema or admission), `Forbidden`, `Unauthorized`
 * - `Expired`: the resource version is too old (410); list again
 * - `TooManyRequests`, `ServerError`: the server is busy or broken
 * - `Unreachable`: no answer, or it broke off; `Timeout`: none in time; `Aborted`: the caller gave up
 * - `Unexpected`: an answer that the API does not have
 */
export type KubeErrorCode =
  | 'NotFound'
  | 'AlreadyExists'
  | 'Conflict'
  | 'Invalid'
  | 'Forbidden'
  | 'Unauthorized'
  | 'Expired'
  | 'TooManyRequests'
  | 'ServerError'
  | 'Unreachable'
  | 'Timeout'
  | 'Aborted'
  | 'Unexpected';

const RETRYABLE: ReadonlySet<KubeErrorCode> = new Set([
  'Conflict',
  'Expired',
  'TooManyRequests',
  'ServerError',
  'Unreachable',
  'Timeout',
  // A token that has just been rotated, or a webhook authorizer that is away, is refused for a while.
  'Unauthorized',
  // RBAC that is applied a moment after the operator.
  'Forbidden',
]);

export interface KubeErrorDetails {
  code: KubeErrorCode;
  /** What was asked: `PATCH /apis/apps/v1/…`. Never holds a body or a header. */
  request: string;
  message: string;
  /** HTTP status, when there was an answer. */
  status?: number | undefined;
  /** `reason` of the `metav1.Status`, when there was one. */
  reason?: string | undefined;
  /** What the server asks to wait, in milliseconds. */
  retryAfterMs?: number | undefined;
  cause?: unknown;
}

/** The one error of this room. `retryable` says that the same request may succeed later. */
export class KubeError extends Error {
  readonly code: KubeErrorCode;
  readonly request: string;
  readonly status: number | undefined;
  readonly reason: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly retryable: boolean;

  constructor({ code, request, message, status, reason, retryAfterMs, cause }: KubeErrorDetails) {
    super(`${request}: ${message}`, { cause });
    this.name = 'KubeError';
    this.code = code;
    this.request = request;
    this.status = status;
    this.reason = reason;
    this.retryAfterMs = retryAfterMs;
    this.retryable = RETRYABLE.has(code);
  }
}

export function isKubeError(error: unknown, ...codes: KubeErrorCode[]): error is KubeError {
  return error instanceof KubeError && (codes.length === 0 || codes.includes(error.code));
}

/** Maps an HTTP status, and the `reason` of the `metav1.Status` in its body, to a code. */
export function kubeErrorCode(status: number, reason: string | undefined): KubeErrorCode {
  if (reason === 'AlreadyExists') return 'AlreadyExists';
  if (reason === 'Expired' || reason === 'Gone') return 'Expired';
  switch (status) {
    case 400:
    case 413:
    case 415:
    case 422:
      return 'Invalid';
    case 401:
      return 'Unauthorized';
    case 403:
      return 'Forbidden';
    case 404:
      return 'NotFound';
    case 409:
      return 'Conflict';
    case 410:
      return 'Expired';
    case 429:
      return 'TooManyRequests';
    case 408:
    case 504:
      return 'Timeout';
    default:
      return status >= 500 ? 'ServerError' : 'Unexpected';
  }
}
