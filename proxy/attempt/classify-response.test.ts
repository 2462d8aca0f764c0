import { classifyErrorObject, classifyResponse } from './classify-response.ts';

const json = { 'content-type': 'application/json' };
const html = { 'content-type': 'text/html; charset=UTF-8' };
const openai = (code: string | null, type = 'server_error', message = 'said') =>
  JSON.stringify({ error: { message, type, param: null, code } });
const classify = (status: number, headers: Record<string, string>, body: string) =>
  classifyResponse(status, headers, Buffer.from(body), 0);

it('a code without end is cut: it stands in logs, evidence and reports', () => {
  expect(classify(500, json, openai('x'.repeat(100_000))).code.length).toBeLessThan(200);
  expect(classify(500, json, openai(null, 'x'.repeat(100_000))).code.length).toBeLessThan(200);
});

describe('an answer that is no success is read into its class', () => {
  it.each([
    ['500 of the provider', 500, json, openai(null), { class: 'Transport', quickRetry: true }],
    ['a Cloudflare page of 520', 520, html, '<!DOCTYPE html>', { class: 'Transport', code: 'http_520', quickRetry: true }],
    ['a Cloudflare page of 403 is not a refused key', 403, html, '<html>', { class: 'Transport', quickRetry: false }],
    ['a page without its content type', 429, {}, ' <html>', { class: 'Transport' }],
    ['503 with an empty body', 503, {}, '', { class: 'Transport', code: 'http_503' }],
    ['OpenAI is overloaded', 503, json, openai('server_is_overloaded'), { class: 'Overload', quickRetry: true }],
    [
      'Anthropic is overloaded',
      529,
      json,
      '{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}',
      { class: 'Overload', code: 'overloaded_error' },
    ],
    [
      'a rate limit in seconds',
      429,
      { ...json, 'retry-after': '7' },
      openai('rate_limit_exceeded', 'tokens'),
      { class: 'RateLimit', retryAfterMs: 7_000 },
    ],
    [
      'a rate limit in milliseconds wins',
      429,
      { ...json, 'retry-after': '7', 'retry-after-ms': '120' },
      openai('rate_limit_exceeded'),
      { retryAfterMs: 120 },
    ],
    [
      'a quota that is used up',
      429,
      json,
      openai('insufficient_quota', 'insufficient_quota'),
      { class: 'Account', account: 'QuotaExhausted' },
    ],
    [
      'a refused key',
      401,
      json,
      openai('invalid_api_key', 'invalid_request_error', 'Incorrect API key provided: sk-abc'),
      { class: 'Account', account: 'CredentialsRefused' },
    ],
    ['no credit', 402, json, openai(null), { class: 'Account', account: 'QuotaExhausted' }],
    [
      'a model that does not exist',
      404,
      json,
      openai('model_not_found', 'invalid_request_error'),
      { class: 'Capability', modelNotFound: true },
    ],
    [
      'a context that is too long',
      400,
      json,
      openai('context_length_exceeded', 'invalid_request_error'),
      { class: 'Capability' },
    ],
    [
      'a parameter that is not known',
      400,
      json,
      openai('unsupported_parameter', 'invalid_request_error'),
      { class: 'Capability' },
    ],
    ['a bad request', 400, json, openai(null, 'invalid_request_error'), { class: 'Request' }],
    ['a content filter', 400, json, openai('content_filter'), { class: 'Request' }],
    ['422 with a detail of FastAPI', 422, json, '{"detail":[{"msg":"field required"}]}', { class: 'Request' }],
    ['408', 408, json, openai(null), { class: 'Transport' }],
    ['a redirect', 302, {}, '', { class: 'Transport', code: 'redirect' }],
  ])('%s', (_, status, headers, body, expected) => {
    expect(classify(status, headers as Record<string, string>, body)).toMatchObject(expected);
  });

  it('keeps the words of a provider that quotes the key', () => {
    const failure = classify(401, json, openai('invalid_api_key', 'x', 'Incorrect API key provided: sk-abc'));
    expect(JSON.stringify(failure)).not.toContain('sk-abc');
    expect(failure.answer).toBeUndefined();
  });

  it('gives on the words of a provider about the request', () => {
    expect(
      classify(400, json, openai(null, 'invalid_request_error', 'max_tokens is too large')).answer?.body.toString(),
    ).toContain('max_tokens is too large');
  });
});

describe('an error inside an answer of 200 is read into its class', () => {
  it.each([
    ['without any hint it is an overload or worse', { message: 'x', type: '', code: '' }, 'Transport'],
    ['overloaded', { message: 'x', type: 'overloaded_error', code: '' }, 'Overload'],
    ['a numeric code is a status', { message: 'x', type: '', code: '', numericCode: 429 }, 'RateLimit'],
    ['a bad request', { message: 'x', type: 'invalid_request_error', code: '' }, 'Request'],
    ['a quota', { message: 'x', type: '', code: 'insufficient_quota' }, 'Account'],
    ['a key', { message: 'sk-abc', type: 'authentication_error', code: '' }, 'Account'],
  ])('%s', (_, error, expected) => {
    const failure = classifyErrorObject(error);
    expect(failure.class).toBe(expected);
    expect(failure.quickRetry ?? false).toBe(false);
  });
});
