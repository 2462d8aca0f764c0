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

/** Largest config, in bytes: as its ConfigMap holds it, compressed, and as it is pushed. */
export interface ConfigLimits {
  stored: number;
  pushed: number;
}

/** A config that compresses well fits a ConfigMap and may be too long for a message; 1 KiB is for what is around it. */
export const CONFIG_LIMITS: ConfigLimits = { stored: MAX_ENCODED_CONFIG_BYTES, pushed: MAX_MESSAGE_BYTES - 1_024 };

export type Fit =
  | { fits: true; served: ServedConfig }
  /** `limit`: the one that is passed. */
  | { fits: false; served: ServedConfig | undefined; limit: keyof ConfigLimits; bytes: number };

/** What is to be served: the config that was compiled, or, when it is too large to be stored or pushed, what was served before. */
export function fitConfig(config: RuntimeConfig, before: ServedConfig | undefined, limits: ConfigLimits = CONFIG_LIMITS): Fit {
  if (before?.config.revision === config.revision) return { fits: true, served: before };
  // First what costs little: a config that is far too large is not compressed at each try.
  const pushed = Buffer.byteLength(JSON.stringify(config));
  if (pushed > limits.pushed) return { fits: false, served: before, limit: 'pushed', bytes: pushed };
  const encoded = encodeConfig(config);
  if (encoded.length > limits.stored) return { fits: false, served: before, limit: 'stored', bytes: encoded.length };
  return { fits: true, served: describe(config, encoded) };
}

export function describe(config: RuntimeConfig, encoded: Buffer): ServedConfig {
  const fingerprint = (route: RuntimeRoute) => [route.name, routeFingerprint(route, config.endpoints)] as const;
  return { config, encoded, fingerprints: new Map(config.routes.map(fingerprint)) };
}
