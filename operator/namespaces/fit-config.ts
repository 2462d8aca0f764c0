import { MAX_MESSAGE_BYTES } from '../../contract/fleet.ts';
import type { RuntimeConfig, RuntimeRoute } from '../../contract/runtime-config.ts';
import { routeFingerprint } from '../config-revision.ts';
import { encodeConfig, MAX_ENCODED_CONFIG_BYTES } from '../encode-config.ts';

/** A config that is served, with what is asked of it often. */
export interface ServedConfig {
  config: RuntimeConfig;
  encoded: Buffer;
  /** Route → hash of all that it serves by: equal in two revisions when nothing changed for this route. */
  fingerprints: ReadonlyMap<string, string>;
}

export type Fit = { fits: true; served: ServedConfig } | { fits: false; served: ServedConfig | undefined; bytes: number };

/** What is to be served: the config that was compiled, or, when no ConfigMap would hold it, what was served before. */
export function fitConfig(
  config: RuntimeConfig,
  before: ServedConfig | undefined,
  maxBytes: number = MAX_ENCODED_CONFIG_BYTES,
): Fit {
  if (before?.config.revision === config.revision) return { fits: true, served: before };
  const encoded = encodeConfig(config);
  if (encoded.length > maxBytes || jsonBytes(config) > MAX_PUSHED_BYTES)
    return { fits: false, served: before, bytes: encoded.length };
  return { fits: true, served: describe(config, encoded) };
}

/** A config that compresses well may fit a ConfigMap and be too long for a message; 1 KiB is for what is around it. */
const MAX_PUSHED_BYTES = MAX_MESSAGE_BYTES - 1_024;

function jsonBytes(config: RuntimeConfig): number {
  return Buffer.byteLength(JSON.stringify(config));
}

export function describe(config: RuntimeConfig, encoded: Buffer): ServedConfig {
  const fingerprint = (route: RuntimeRoute) => [route.name, routeFingerprint(route, config.endpoints)] as const;
  return { config, encoded, fingerprints: new Map(config.routes.map(fingerprint)) };
}
