import { gunzipSync, gzipSync } from 'node:zlib';
import { MAX_MESSAGE_BYTES } from '../contract/fleet.ts';
import { type RuntimeConfig, runtimeConfig } from '../contract/runtime-config.ts';

/** The API server takes 1 MiB of data in a ConfigMap; a tenth is left for the CA bundle beside it and for growth of the format. */
export const MAX_ENCODED_CONFIG_BYTES = 900 * 1024;

/** A config as the ConfigMap holds it: JSON, gzipped. Equal configs give equal bytes. */
export function encodeConfig(config: RuntimeConfig): Buffer {
  return gzipSync(JSON.stringify(config), { level: 9 });
}

/** Throws when the bytes are no config. The limit keeps a crafted ConfigMap from filling the memory. */
export function decodeConfig(encoded: Buffer): RuntimeConfig {
  return runtimeConfig.parse(JSON.parse(gunzipSync(encoded, { maxOutputLength: MAX_MESSAGE_BYTES }).toString()));
}
