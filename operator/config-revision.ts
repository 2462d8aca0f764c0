import { createHash } from 'node:crypto';
import type { RuntimeConfig, RuntimeEndpoint, RuntimeRoute } from '../contract/runtime-config.ts';

/** 48 bits: short enough to be read aloud from a status, and two configs of one namespace do not meet by chance. */
const REVISION_LENGTH = 12;

/** Name of a config by its content: equal content has an equal revision, whatever order it was put together in. */
export function configRevision(config: Omit<RuntimeConfig, 'revision'>): string {
  return contentHash(config);
}

/** The same for what one route serves by: the route and the endpoints of its targets. */
export function routeFingerprint(route: RuntimeRoute, endpoints: readonly RuntimeEndpoint[]): string {
  const used = new Set(route.targets.map((target) => target.endpoint));
  return contentHash({ route, endpoints: endpoints.filter((endpoint) => used.has(endpoint.name)) });
}

function contentHash(value: unknown): string {
  return createHash('sha256').update(stableJson(value)).digest('hex').slice(0, REVISION_LENGTH);
}

/** JSON with the keys of every object in order: two objects of equal content give equal text. */
function stableJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : inner,
  );
}
