type Headers = Record<string, string | string[] | undefined>;

/** Hop-by-hop (RFC 9110, 7.6.1), or about the provider's connection with us, or set for a browser: none of it is for the client. */
const KEPT_BACK = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'transfer-encoding',
  'upgrade',
  'trailer',
  'te',
  'content-length',
  'date',
  'set-cookie',
  'alt-svc',
  'strict-transport-security',
  'server',
  'via',
  'report-to',
  'nel',
  'x-should-retry',
]);

/** The headers of a provider's answer that the client gets, as a flat list. A header that quotes the key is dropped. */
export function answerHeaders(headers: Headers, key: string | undefined): string[] {
  const list: string[] = [];
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined || KEPT_BACK.has(name) || name.startsWith('cf-') || name.startsWith('x-understudy-')) continue;
    const text = typeof value === 'string' ? value : value.join(', ');
    if (key !== undefined && text.includes(key)) continue;
    list.push(name, text);
  }
  return list;
}

/** All headers but those that quote the key: of an error, which is kept whole until it is known whether the client gets it. */
export function headersWithoutKey(headers: Headers, key: string | undefined): Headers {
  if (key === undefined || key === '') return headers;
  return Object.fromEntries(Object.entries(headers).filter(([, value]) => !String(value).includes(key)));
}

export const REDACTED = '[redacted]';

/** A body without the key, should a provider quote it. */
export function withoutKey(body: Buffer, key: string | undefined): Buffer {
  if (key === undefined || key === '' || !body.includes(key)) return body;
  return Buffer.from(body.toString('utf8').replaceAll(key, REDACTED));
}
