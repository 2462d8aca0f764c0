import type { Failure } from './failure.ts';

const RESET = new Set([
  'ECONNRESET',
  'EPIPE',
  'UND_ERR_SOCKET',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
  'UND_ERR_ABORTED',
  'UND_ERR_DESTROYED',
  'UND_ERR_CLOSED',
]);
const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EADDRNOTAVAIL',
  'ECONNABORTED',
]);
const TIMED_OUT = new Set(['UND_ERR_CONNECT_TIMEOUT', 'ETIMEDOUT']);

/** Reads an error of the transport into a failure. Its own message is left out: it may name addresses, and says no more than its code. */
export function classifyError(error: unknown): Failure {
  const code = codeOf(error);
  if (TIMED_OUT.has(code)) return transport('connect_timeout', 'no connection in time');
  if (UNREACHABLE.has(code)) return transport('connection_refused', `no connection (${code})`);
  if (RESET.has(code)) return { ...transport('connection_reset', `the connection was cut (${code})`), quickRetry: true };
  if (code.startsWith('HPE_') || code === 'UND_ERR_HEADERS_OVERFLOW' || code === 'UND_ERR_RESPONSE_EXCEEDED_MAX_SIZE') {
    return { class: 'Malformed', code: 'malformed_http', message: `the answer is not HTTP (${code})` };
  }
  if (isTls(code)) return transport('tls_error', `no trusted TLS connection (${code})`);
  return transport('connection_error', `the connection failed (${code})`);
}

function transport(code: string, message: string): Failure {
  return { class: 'Transport', code, message };
}

function isTls(code: string): boolean {
  return /^(ERR_TLS|ERR_SSL|EPROTO|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/.test(code);
}

/** The most telling code: an aggregate error (several addresses tried) and a wrapped one tell it within. */
function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return 'unknown';
  const { code, cause, errors, name } = error as { code?: unknown; cause?: unknown; errors?: unknown; name?: unknown };
  if (typeof code === 'string' && code !== 'UND_ERR_SOCKET') return code;
  if (Array.isArray(errors) && errors.length > 0) return codeOf(errors[0]);
  if (typeof cause === 'object' && cause !== null) return codeOf(cause);
  return typeof code === 'string' ? code : String(name ?? 'unknown');
}
