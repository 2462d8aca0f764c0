import { cloudflarePage, KEY_PLACEHOLDER, openAIError } from './error-bodies.ts';
import type { Fault, FaultMatch, RequestFault } from './fault.ts';

/** `none`: the answer is whole. `answer`: no content arrives. `midway`: content arrives, then the answer breaks. */
export type Damage = 'none' | 'answer' | 'midway';

/** Whose fault it is, in the classes by which a gateway has to act. */
export type FaultClass =
  | 'Transport'
  | 'Overload'
  | 'RateLimit'
  | 'Account'
  | 'Capability'
  | 'Request'
  | 'Malformed'
  | 'Stall'
  | 'Harmless';

export interface FaultPreset {
  description: string;
  fault: Fault;
  match?: FaultMatch;
  class: FaultClass;
  unary: Damage;
  stream: Damage;
}

const JSON_TYPE = 'application/json';
const HTML_TYPE = 'text/html; charset=UTF-8';

type Facts = Pick<FaultPreset, 'class' | 'unary' | 'stream'>;
const lost = (faultClass: FaultClass): Facts => ({ class: faultClass, unary: 'answer', stream: 'answer' });
const broken = (faultClass: FaultClass): Facts => ({ class: faultClass, unary: 'answer', stream: 'midway' });
const HARMLESS: Facts = { class: 'Harmless', unary: 'none', stream: 'none' };

function json(status: number, body: string, headers?: Record<string, string>): Fault {
  return { kind: 'status', status, contentType: JSON_TYPE, body, ...(headers && { headers }) };
}
function cloudflare(status: number, title: string): Fault {
  return {
    kind: 'status',
    status,
    contentType: HTML_TYPE,
    body: cloudflarePage(status, title),
    headers: { server: 'cloudflare', 'cf-ray': '96ec92b78fe0e4fe-FRA' },
  };
}

const overloaded = openAIError('The server is currently overloaded with other requests.', 'server_error', 'server_is_overloaded');
const rateLimited = openAIError(
  'Rate limit reached for requests per min (RPM): Limit 500, Used 500, Requested 1. Please try again in 1s.',
  'requests',
  'rate_limit_exceeded',
);

/** A rate limit that names its time in these headers. */
export function rateLimit(headers: Record<string, string>): RequestFault {
  return { kind: 'status', status: 429, contentType: JSON_TYPE, body: rateLimited, headers };
}

/** Every way to fail that has a name, for tests and for the command line. */
export const FAULTS = {
  refuse: { description: 'connection refused: nothing listens', fault: { kind: 'refuse' }, ...lost('Transport') },
  'reset-connection': {
    description: 'connections are reset when made',
    fault: { kind: 'resetConnection' },
    ...lost('Transport'),
  },
  garbage: { description: 'bytes that are neither HTTP nor TLS', fault: { kind: 'garbage' }, ...lost('Transport') },
  'untrusted-certificate': {
    description: 'a TLS certificate that nobody trusts (only a lab that speaks TLS)',
    fault: { kind: 'untrustedCertificate' },
    ...lost('Transport'),
  },
  'hang-connection': { description: 'accepts, never reads', fault: { kind: 'hangConnection' }, ...lost('Stall') },
  reset: { description: 'takes the request, then resets the connection', fault: { kind: 'reset' }, ...lost('Transport') },
  hang: { description: 'takes the request, then silence', fault: { kind: 'hang' }, ...lost('Stall') },
  'headers-then-nothing': {
    description: 'status 200, headers, then silence',
    fault: { kind: 'headersThenNothing' },
    ...lost('Stall'),
  },
  'pings-then-nothing': {
    description: 'three keep-alives, then silence',
    fault: { kind: 'pingsThenNothing', everyMs: 20, pings: 3 },
    ...lost('Stall'),
  },
  'pings-forever': {
    description: 'keep-alives and never any content',
    fault: { kind: 'pingsForever', everyMs: 100 },
    ...lost('Stall'),
  },
  'role-only': { description: 'chunks without content, then silence', fault: { kind: 'roleOnly', chunks: 3 }, ...lost('Stall') },
  'slow-first-token': {
    description: 'the first content after 60 s',
    fault: { kind: 'slowFirstToken', delayMs: 60_000 },
    ...lost('Stall'),
  },
  'slow-drip': {
    description: 'a whole answer, 50 ms between its pieces',
    fault: { kind: 'drip', everyMs: 50 },
    ...HARMLESS,
  },
  'slow-start': {
    description: 'a whole answer, its first content after 150 ms',
    fault: { kind: 'slowFirstToken', delayMs: 150 },
    ...HARMLESS,
  },
  'pings-then-answer': {
    description: 'keep-alives, then a whole answer, as OpenRouter sends it',
    fault: { kind: 'pingsThenAnswer', everyMs: 20, pings: 3 },
    ...HARMLESS,
  },
  fragments: {
    description: 'a whole answer in packets that end in the middle of lines and characters',
    fault: { kind: 'fragments', bytes: 61 },
    ...HARMLESS,
  },
  'one-packet': {
    description: 'a whole answer in one packet',
    fault: { kind: 'fragments', bytes: 1024 * 1024 },
    ...HARMLESS,
  },
  crlf: { description: 'a stream whose lines end in CRLF', fault: { kind: 'crlf' }, ...HARMLESS },
  'status-408': {
    description: '408 as JSON',
    fault: json(408, openAIError('Request timed out.', 'timeout', 'request_timeout')),
    ...lost('Transport'),
  },
  'status-500': {
    description: '500 as JSON',
    fault: json(500, openAIError('The server had an error while processing your request. Sorry about that!', 'server_error')),
    ...lost('Transport'),
  },
  'status-502': { description: '502 as a page of HTML', fault: cloudflare(502, 'Bad gateway'), ...lost('Transport') },
  'status-503': { description: '503 as a page of HTML', fault: cloudflare(503, 'Service Unavailable'), ...lost('Transport') },
  'status-504': { description: '504 as a page of HTML', fault: cloudflare(504, 'Gateway time-out'), ...lost('Transport') },
  'status-520': {
    description: '520 as a page of HTML',
    fault: cloudflare(520, 'Web server is returning an unknown error'),
    ...lost('Transport'),
  },
  'status-524': { description: '524 as a page of HTML', fault: cloudflare(524, 'A timeout occurred'), ...lost('Transport') },
  'status-530': { description: '530 as a page of HTML', fault: cloudflare(530, 'Origin DNS error'), ...lost('Transport') },
  overloaded: { description: '503 server_is_overloaded', fault: json(503, overloaded), ...lost('Overload') },
  'overloaded-529': {
    description: '529 overloaded_error, as Anthropic says it',
    fault: json(529, '{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}'),
    ...lost('Overload'),
  },
  'overloaded-unavailable': {
    description: '503 UNAVAILABLE, as Google says it',
    fault: json(
      503,
      '{"error":{"code":503,"message":"The model is overloaded. Please try again later.","status":"UNAVAILABLE"}}',
    ),
    ...lost('Overload'),
  },
  'error-first-event': {
    description: 'status 200, an error as the first event (unary: as the body)',
    fault: { kind: 'errorEvent', afterChunks: 0, error: overloaded, ending: 'end' },
    ...lost('Overload'),
  },
  'rate-limit': {
    description: '429 rate_limit_exceeded with retry-after: 1',
    fault: rateLimit({
      'retry-after': '1',
      'x-ratelimit-remaining-requests': '0',
      'x-ratelimit-reset-requests': '1s',
    }),
    ...lost('RateLimit'),
  },
  'rate-limit-ms': {
    description: '429 rate_limit_exceeded with retry-after-ms: 300',
    fault: rateLimit({ 'retry-after-ms': '300', 'retry-after': '1' }),
    ...lost('RateLimit'),
  },
  'rate-limit-bare': {
    description: '429 rate_limit_exceeded that names no time',
    fault: rateLimit({}),
    ...lost('RateLimit'),
  },
  'slow-down': {
    description: '429 slow_down',
    fault: json(429, openAIError('Please reduce your request rate.', 'rate_limit_error', 'slow_down')),
    ...lost('RateLimit'),
  },
  'insufficient-quota': {
    description: '429 insufficient_quota',
    fault: json(
      429,
      openAIError(
        'You exceeded your current quota, please check your plan and billing details.',
        'insufficient_quota',
        'insufficient_quota',
      ),
    ),
    ...lost('Account'),
  },
  'credit-balance-exhausted': {
    description: '429 credit_balance_exhausted',
    fault: json(429, openAIError('Your credit balance is too low.', 'billing_error', 'credit_balance_exhausted')),
    ...lost('Account'),
  },
  'invalid-key': {
    description: '401 invalid_api_key, with the key in its message',
    fault: json(401, openAIError(`Incorrect API key provided: ${KEY_PLACEHOLDER}.`, 'invalid_request_error', 'invalid_api_key')),
    ...lost('Account'),
  },
  'payment-required': {
    description: '402',
    fault: json(402, openAIError('Payment required.', 'billing_error', 'payment_required')),
    ...lost('Account'),
  },
  forbidden: {
    description: '403, with the key in its message',
    fault: json(403, openAIError(`Key ${KEY_PLACEHOLDER} may not use this project.`, 'invalid_request_error', 'forbidden')),
    ...lost('Account'),
  },
  'model-not-found': {
    description: '404 model_not_found',
    fault: json(
      404,
      openAIError('The model does not exist or you do not have access to it.', 'invalid_request_error', 'model_not_found'),
    ),
    ...lost('Capability'),
  },
  'unsupported-parameter': {
    description: '400 unsupported_parameter',
    fault: json(
      400,
      openAIError(
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
        'invalid_request_error',
        'unsupported_parameter',
        'max_tokens',
      ),
    ),
    ...lost('Capability'),
  },
  'context-length': {
    description: '400 context_length_exceeded',
    fault: json(
      400,
      openAIError(
        "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens.",
        'invalid_request_error',
        'context_length_exceeded',
        'messages',
      ),
    ),
    ...lost('Capability'),
  },
  'too-large': {
    description: '413',
    fault: json(413, openAIError('Request body too large.', 'invalid_request_error', 'request_too_large')),
    ...lost('Capability'),
  },
  'bad-request': {
    description: '400 invalid_request_error',
    fault: json(400, openAIError("Invalid 'messages': empty array.", 'invalid_request_error', 'empty_array', 'messages')),
    ...lost('Request'),
  },
  unprocessable: {
    description: '422',
    fault: json(422, openAIError('Unprocessable entity.', 'invalid_request_error', 'invalid_value')),
    ...lost('Request'),
  },
  'content-filter': {
    description: '400 content_filter',
    fault: json(
      400,
      openAIError(
        'The response was filtered due to the prompt triggering content management policy.',
        'invalid_request_error',
        'content_filter',
        'prompt',
      ),
    ),
    ...lost('Request'),
  },
  'page-of-html': {
    description: 'status 200 with a page of HTML',
    fault: {
      kind: 'status',
      status: 200,
      contentType: HTML_TYPE,
      body: '<!DOCTYPE html><html><body>Sign in to the network</body></html>',
    },
    ...lost('Malformed'),
  },
  'error-body': {
    description: 'status 200 with an error for a body, whatever was asked',
    fault: json(200, openAIError('Upstream provider failed.', 'server_error', 'provider_error')),
    ...lost('Malformed'),
  },
  'not-json': {
    description: 'status 200 with a JSON content type and no JSON',
    fault: json(200, 'upstream connect error or disconnect/reset before headers'),
    ...lost('Malformed'),
  },
  'empty-choices': { description: 'status 200 with no choices', fault: { kind: 'emptyChoices' }, ...lost('Malformed') },
  'empty-body': { description: 'status 200 with nothing in it', fault: { kind: 'emptyBody' }, ...lost('Malformed') },
  'truncated-body': {
    description: 'half of a JSON body, content-length right for the half (stream: half of the first chunk)',
    fault: { kind: 'truncated', contentLength: 'right' },
    ...lost('Malformed'),
  },
  'truncated-body-wrong-length': {
    description: 'half of a JSON body, content-length for the whole (stream: half of the first chunk, cut)',
    fault: { kind: 'truncated', contentLength: 'tooLong' },
    ...lost('Malformed'),
  },
  'malformed-first-chunk': {
    description: 'a first chunk that is not JSON',
    fault: { kind: 'malformed', atChunk: 0 },
    ...lost('Malformed'),
  },
  gigantic: {
    description: 'one event, or body, of 256 MiB',
    fault: { kind: 'gigantic', bytes: 256 * 1024 * 1024 },
    ...lost('Malformed'),
  },
  'cut-clean': {
    description: 'ends after 3 chunks as if it were whole',
    fault: { kind: 'cut', afterChunks: 3, close: 'clean' },
    ...broken('Malformed'),
  },
  'cut-close': {
    description: 'closes the connection after 3 chunks',
    fault: { kind: 'cut', afterChunks: 3, close: 'close' },
    ...broken('Transport'),
  },
  'cut-reset': {
    description: 'resets the connection after 3 chunks',
    fault: { kind: 'cut', afterChunks: 3, close: 'reset' },
    ...broken('Transport'),
  },
  stall: { description: 'silence after 3 chunks', fault: { kind: 'stall', afterChunks: 3 }, ...broken('Stall') },
  'malformed-chunk': {
    description: 'the fourth chunk is not JSON',
    fault: { kind: 'malformed', atChunk: 3 },
    ...broken('Malformed'),
  },
  'error-event': {
    description: 'an error event after 3 chunks, then the end',
    fault: { kind: 'errorEvent', afterChunks: 3, error: overloaded, ending: 'end' },
    ...broken('Overload'),
  },
  'error-event-then-done': {
    description: 'an error event after 3 chunks, then [DONE], as vLLM does',
    fault: {
      kind: 'errorEvent',
      afterChunks: 3,
      error:
        '{"error":{"message":"EngineDeadError: the engine has stopped","type":"InternalServerError","param":null,"code":500}}',
      ending: 'done',
    },
    ...broken('Overload'),
  },
  'missing-done': { description: 'a finished answer without [DONE]', fault: { kind: 'missingDone' }, ...HARMLESS },
  gzip: { description: 'a compressed answer that nobody asked for', fault: { kind: 'gzip' }, ...HARMLESS },
  'retry-after-on-success': {
    description: 'a good answer with retry-after: 30, as Anthropic sends it',
    fault: { kind: 'headers', headers: { 'retry-after': '30' } },
    ...HARMLESS,
  },
  'error-rate-25': {
    description: '500 for a quarter of the requests',
    fault: json(500, openAIError('The server had an error while processing your request.', 'server_error')),
    match: { rate: 0.25 },
    ...lost('Transport'),
  },
} as const satisfies Record<string, FaultPreset>;

export type FaultName = keyof typeof FAULTS;

export function faultPreset(name: string): FaultPreset | undefined {
  return Object.hasOwn(FAULTS, name) ? FAULTS[name as FaultName] : undefined;
}
