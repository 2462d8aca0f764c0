import type { ServerResponse } from 'node:http';
import { CONFIG_PING_INTERVAL_MS, type ConfigMessage, configMessage, MAX_MESSAGE_BYTES } from '../../contract/fleet.ts';
import type { RuntimeConfig } from '../../contract/runtime-config.ts';
import type { Clock } from '../kube/clock.ts';
import type { ProxyIdentity } from './authenticate-proxy.ts';

/** Open streams in all, and of one namespace: far above what proxies need, low enough that nobody can fill the memory with them. */
export const MAX_STREAMS = 4_096;
export const MAX_STREAMS_PER_NAMESPACE = 256;
/** A proxy that has not read what it was sent after this is cut. It connects again, and begins with the newest config. */
export const SLOW_READER_CUT_AFTER_MS = 15_000;

const PING = encode({ type: 'ping' });

/** The config does not fit the channel. */
export class ConfigTooLargeError extends Error {
  readonly code = 'FLEET_CONFIG_TOO_LARGE';

  constructor(namespace: string, bytes: number) {
    super(
      `the runtime config of namespace ${namespace} has ${bytes} bytes, and ${MAX_MESSAGE_BYTES} are allowed: ` +
        'spread its routes over several namespaces',
    );
    this.name = 'ConfigTooLargeError';
  }
}

interface Stream {
  identity: ProxyIdentity;
  send(message: Buffer): void;
  end(): void;
  /** At once, without waiting for what was not read. */
  cut(): void;
}

interface Published {
  revision: string;
  message: Buffer;
  /** Monotonic time of publishing. */
  at: number;
}

export interface ConfigStreamsOptions {
  clock: Clock;
  onPush(): void;
  onSlowReader(identity: ProxyIdentity): void;
}

/** The open streams to proxies, and the newest config of each namespace. */
export interface ConfigStreams {
  /** Throws for a config that the contract refuses, or `ConfigTooLargeError`. What was published before then stays. */
  publish(namespace: string, config: RuntimeConfig): void;
  withdraw(namespace: string): void;
  published(namespace: string): { revision: string; at: number; message: Buffer } | undefined;
  /** Answers with the stream. `Full`: nothing was written. */
  open(identity: ProxyIdentity, response: ServerResponse): 'Open' | 'Full';
  connected(): number;
  /** Ends all streams and the pings. */
  close(): void;
}

export function createConfigStreams({ clock, onPush, onSlowReader }: ConfigStreamsOptions): ConfigStreams {
  const configs = new Map<string, Published>();
  const streams = new Set<Stream>();
  let cancelPing = clock.schedule(ping, CONFIG_PING_INTERVAL_MS);

  const ofNamespace = (namespace: string) => [...streams].filter(({ identity }) => identity.namespace === namespace);

  function ping(): void {
    for (const stream of streams) stream.send(PING);
    cancelPing = clock.schedule(ping, CONFIG_PING_INTERVAL_MS);
  }

  /**
   * One proxy's stream. While it does not read, nothing is queued for it: when it reads again it is sent the config that is the
   * newest then, if it has missed one.
   */
  function createStream(identity: ProxyIdentity, response: ServerResponse): Stream {
    let waiting = false;
    let missedConfig = false;
    let cancelCut: (() => void) | undefined;

    function send(message: Buffer): void {
      if (waiting) {
        missedConfig ||= message !== PING;
        return;
      }
      if (message !== PING) onPush();
      if (response.write(message)) return;
      waiting = true;
      cancelCut = clock.schedule(() => {
        onSlowReader(identity);
        response.destroy();
      }, SLOW_READER_CUT_AFTER_MS);
      response.once('drain', () => {
        waiting = false;
        cancelCut?.();
        const newest = configs.get(identity.namespace);
        if (missedConfig && newest !== undefined) {
          missedConfig = false;
          send(newest.message);
        }
      });
    }

    const stream: Stream = { identity, send, end: () => response.end(), cut: () => response.destroy() };
    response.once('close', () => {
      cancelCut?.();
      streams.delete(stream);
    });
    return stream;
  }

  return {
    publish(namespace, config) {
      if (configs.get(namespace)?.revision === config.revision) return;
      const message = encode(configMessage.parse({ type: 'config', config }));
      if (message.byteLength > MAX_MESSAGE_BYTES) throw new ConfigTooLargeError(namespace, message.byteLength);
      configs.set(namespace, { revision: config.revision, message, at: clock.monotonic() });
      for (const stream of ofNamespace(namespace)) stream.send(message);
    },
    withdraw(namespace) {
      configs.delete(namespace);
      for (const stream of ofNamespace(namespace)) stream.end();
    },
    published: (namespace) => configs.get(namespace),
    open(identity, response) {
      const siblings = ofNamespace(identity.namespace);
      // A pod whose connection broke connects again long before TCP gives the old one up.
      const replaced = siblings.filter((stream) => identity.pod !== undefined && stream.identity.pod === identity.pod);
      for (const stream of replaced) stream.cut();
      if (streams.size >= MAX_STREAMS || siblings.length - replaced.length >= MAX_STREAMS_PER_NAMESPACE) return 'Full';
      response.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' });
      const stream = createStream(identity, response);
      streams.add(stream);
      // An operator that has just started may not have compiled yet: the ping says that the channel is there.
      stream.send(configs.get(identity.namespace)?.message ?? PING);
      return 'Open';
    },
    connected: () => streams.size,
    close() {
      cancelPing();
      for (const stream of streams) stream.end();
    },
  };
}

function encode(message: ConfigMessage): Buffer {
  return Buffer.from(`${JSON.stringify(message)}\n`);
}
