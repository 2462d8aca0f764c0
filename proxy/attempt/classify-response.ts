import type { AccountReason, Failure } from './failure.ts';
import { type ProviderError, readProviderError } from './read-provider-error.ts';
import { readRetryAfter } from './read-retry-after.ts';

type Headers = Record<string, string | string[] | undefined>;

const QUOTA_CODES = ['insufficient_quota', 'credit_balance_exhausted', 'billing_hard_limit_reached', 'billing_not_active'];
const OVERLOAD_CODES = [
  'server_is_overloaded',
  'overloaded_error',
  'overloaded',
  'engine_overloaded',
  'UNAVAILABLE',
  'slow_down',
];
const RATE_LIMIT_CODES = ['rate_limit_exceeded', 'rate_limit_error', 'tokens', 'requests', 'RESOURCE_EXHAUSTED'];
const CAPABILITY_CODES = ['unsupported_parameter', 'unsupported_value', 'context_length_exceeded', 'string_above_max_length'];
const REFUSED_CODES = ['invalid_api_key', 'authentication_error', 'permission_error', 'account_deactivated'];

/** Reads an answer that is no 2xx into a failure. `body` is what was read of it, already free of keys. */
export function classifyResponse(status: number, headers: Headers, body: Buffer, now: number): Failure {
  const text = body.toString('utf8');
  const error = readProviderError(text);
  const retryAfterMs = readRetryAfter(headers, now);
  const seen = { status, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
  if (status >= 300 && status < 400) {
    return {
      ...seen,
      class: 'Transport',
      code: 'redirect',
      message: `the provider answered with a redirect (${status}), which is not followed`,
    };
  }
  // A page of HTML is not the provider's word but that of what stands before it: Cloudflare sends 403 and 429 pages in an outage, too.
  // Its text may name our address, so it is never given on.
  if (error === undefined && (status >= 500 || isHtml(headers, text))) {
    return {
      ...seen,
      class: 'Transport',
      code: `http_${status}`,
      message: `${status} without a JSON body`,
      quickRetry: status >= 500,
    };
  }
  const known = error ?? { message: `${status} without a readable body`, type: '', code: '' };
  const failure: Failure = { ...seen, ...classifyStatus(status, known) };
  if (error !== undefined && failure.class !== 'Account') failure.answer = { status, headers, body };
  return failure;
}

/** Reads an `error` inside an answer of 200, or an error event: there is no status to go by. */
export function classifyErrorObject(error: ProviderError): Failure {
  const names = [error.code, error.type];
  const status =
    error.numericCode !== undefined && error.numericCode >= 400 && error.numericCode < 600
      ? error.numericCode
      : names.some((name) => QUOTA_CODES.includes(name) || RATE_LIMIT_CODES.includes(name))
        ? 429
        : names.some((name) => REFUSED_CODES.includes(name))
          ? 401
          : names.includes('invalid_request_error') || names.some((name) => CAPABILITY_CODES.includes(name))
            ? 400
            : 503;
  const failure = classifyStatus(status, error);
  // Nothing of a stream or a 200 is repeated at the same target: only what came as a status is known to be a quick failure.
  return { ...failure, quickRetry: false };
}

function classifyStatus(status: number, error: ProviderError): Failure {
  const names = [error.code, error.type].filter((name) => name !== '');
  const code = names[0] ?? `http_${status}`;
  const said = (failure: Omit<Failure, 'code' | 'message'>): Failure => ({ code, message: error.message, ...failure });
  const is = (codes: string[]) => names.some((name) => codes.includes(name));
  if (status === 429 && is(QUOTA_CODES)) return said({ class: 'Account', account: 'QuotaExhausted' });
  if (status === 429) return said({ class: 'RateLimit' });
  if (status === 401 || status === 402 || status === 403) return account(status, code);
  if (status === 404) return said({ class: 'Capability', modelNotFound: true });
  if (status === 413 || ((status === 400 || status === 422) && is(CAPABILITY_CODES))) return said({ class: 'Capability' });
  if (status === 529 || is(OVERLOAD_CODES)) return said({ class: 'Overload', quickRetry: true });
  if (status >= 500) return said({ class: 'Transport', quickRetry: true });
  if (status === 408 || status === 409 || status === 425 || status === 499) return said({ class: 'Transport' });
  return said({ class: 'Request' });
}

/** Providers quote the key they refuse, masked more or less. So their words stay here. */
function account(status: number, code: string): Failure {
  const reason: AccountReason = status === 402 ? 'QuotaExhausted' : 'CredentialsRefused';
  const message =
    reason === 'QuotaExhausted'
      ? 'the provider says that the account has no credit left'
      : `the provider refuses the key of the endpoint (${status})`;
  return { class: 'Account', code, message, account: reason };
}

function isHtml(headers: Headers, text: string): boolean {
  return String(headers['content-type'] ?? '').includes('html') || /^\s*</.test(text);
}
