import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Logger } from 'pino';
import { MAX_MESSAGE_BYTES } from '../../contract/fleet.ts';
import type { Proxy } from '../proxy.ts';
import type { ConfigChannel } from './config-channel.ts';
import { decideConfigFile } from './decide-config-file.ts';
import { fileSignature, MISSING_FILE } from './file-signature.ts';
import { createFileWatcher } from './file-watcher.ts';

/** A ConfigMap holds at most 1 MiB. */
const MAX_FILE_BYTES = 1024 * 1024;

export type ConfigFileErrorCode =
  | 'CONFIG_FILE_MISSING'
  | 'CONFIG_FILE_EMPTY'
  | 'CONFIG_FILE_TOO_LARGE'
  | 'CONFIG_FILE_CORRUPT'
  | 'CONFIG_FILE_REFUSED';

/** The last known good config can't be used. The proxy goes on with what it serves, or waits for the operator. */
export class ConfigFileError extends Error {
  readonly code: ConfigFileErrorCode;

  constructor(code: ConfigFileErrorCode, file: string, what: string, cause?: unknown) {
    super(`${file} ${what}: the proxy waits for the operator to send a config`, { cause });
    this.name = 'ConfigFileError';
    this.code = code;
  }
}

export interface ConfigFileOptions {
  /** Gzipped JSON of a `RuntimeConfig`, in a mounted ConfigMap. */
  path: string;
  proxy: Proxy;
  channel: ConfigChannel;
  logger: Logger;
  /** Milliseconds that never jump: the clock of `channel.lastPushAt`. */
  monotonic?: () => number;
  pollIntervalMs?: number;
}

export interface ConfigFile {
  /** Looks at the file now, and then at every change. For the boot: before the channel is opened. Never throws: see the log. */
  start(): void;
  stop(): void;
}

/** Applies the config file at boot, and when it is the news: see `decideConfigFile`. */
export function createConfigFile(options: ConfigFileOptions): ConfigFile {
  const { path, proxy, channel, logger, monotonic = () => performance.now(), pollIntervalMs } = options;
  /** What was read last. `seenAt` is when the file was first seen so, also when the channel decided then. */
  let read: { signature: string; seenAt: number; config: unknown; revision: string } | { signature: string } | undefined;
  /** Decided on already, so that each content is applied, or refused, once. */
  let settled: string | undefined;
  let watcher: { close(): void } | undefined;

  function check(): void {
    try {
      look();
    } catch (error) {
      logger.error({ err: error }, 'the config file is not used');
    }
  }

  function look(): void {
    const signature = fileSignature(path);
    if (read?.signature !== signature) {
      read = { signature };
      settled = undefined;
      read = {
        signature,
        seenAt: monotonic(),
        ...parseConfigFile(path, signature === MISSING_FILE ? undefined : readFileSync(path)),
      };
    }
    if (!('config' in read) || settled === signature) return;
    const { revision, config, seenAt } = read;
    const decision = decideConfigFile({
      fileRevision: revision,
      seenAt,
      servedRevision: proxy.report().revision,
      channelConnected: channel.connected(),
      lastPushAt: channel.lastPushAt(),
    });
    switch (decision) {
      case 'ChannelDecides':
        return;
      case 'Same':
      case 'LateCopy':
        settled = signature;
        logger.debug({ revision, decision }, 'the config file is left alone');
        return;
      case 'Apply':
        settled = signature;
        apply(config);
    }
  }

  function apply(config: unknown): void {
    try {
      const { revision } = proxy.applyConfig(config);
      logger.info({ revision, path }, 'serving the config of the file');
    } catch (error) {
      throw new ConfigFileError('CONFIG_FILE_REFUSED', path, 'holds a config that is refused', error);
    }
  }

  return {
    start() {
      const files = createFileWatcher(check, logger, pollIntervalMs);
      files.add(dirname(path));
      watcher = files;
      check();
    },
    stop: () => watcher?.close(),
  };
}

/** Pure. Unpacks, and finds the revision; whether the rest can be served is for `Proxy.applyConfig` to say. Throws `ConfigFileError`. */
export function parseConfigFile(path: string, bytes: Buffer | undefined): { config: unknown; revision: string } {
  if (bytes === undefined) throw new ConfigFileError('CONFIG_FILE_MISSING', path, 'does not exist, or can not be read');
  if (bytes.length === 0) throw new ConfigFileError('CONFIG_FILE_EMPTY', path, 'is empty');
  if (bytes.length > MAX_FILE_BYTES) throw new ConfigFileError('CONFIG_FILE_TOO_LARGE', path, `has ${bytes.length} bytes`);
  let config: unknown;
  try {
    config = JSON.parse(gunzipSync(bytes, { maxOutputLength: MAX_MESSAGE_BYTES }).toString());
  } catch (error) {
    throw new ConfigFileError('CONFIG_FILE_CORRUPT', path, 'is no gzipped JSON', error);
  }
  const revision = (config as { revision?: unknown } | null)?.revision;
  if (typeof revision !== 'string') throw new ConfigFileError('CONFIG_FILE_CORRUPT', path, 'has no revision');
  return { config, revision };
}
