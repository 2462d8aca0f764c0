/** The paths whose requests are understood, and routed by the model they ask for. Everything else is passed through. */
export type Operation = 'chat' | 'completions' | 'embeddings';

const OPERATIONS: ReadonlyMap<string, Operation> = new Map([
  ['/v1/chat/completions', 'chat'],
  ['/v1/completions', 'completions'],
  ['/v1/embeddings', 'embeddings'],
]);

/** Which operation a request target (path and query) means, if it is one that is understood. */
export function operationOf(url: string): Operation | undefined {
  const query = url.indexOf('?');
  return OPERATIONS.get(query < 0 ? url : url.slice(0, query));
}

/** The part of the request target that follows a provider's base URL: base URLs hold the version segment themselves. */
export function pathBelowBase(url: string): string {
  return url.startsWith('/v1/') ? url.slice('/v1'.length) : url;
}
