/** Headers of the client that a provider may see. A list of what is let through, since applications put secrets of their own into headers. */
const LET_THROUGH = [
  'accept',
  'user-agent',
  'openai-beta',
  'x-client-request-id',
  'idempotency-key',
  'traceparent',
  'tracestate',
] as const;

/** The headers of an attempt, as a flat list. The key is that of the endpoint: the client's own never reaches a provider. */
export function upstreamHeaders(client: NodeJS.Dict<string | string[]>, key: string | undefined): string[] {
  const headers = ['content-type', 'application/json', 'accept-encoding', 'identity'];
  if (key !== undefined) headers.push('authorization', `Bearer ${key}`);
  for (const name of LET_THROUGH) {
    const value = client[name];
    if (typeof value === 'string') headers.push(name, value);
  }
  return headers;
}
