import type { Logger } from 'pino';
import { CONFIG_PING_INTERVAL_MS } from '../../contract/fleet.ts';
import type { ConfigChannel } from '../config/config-channel.ts';
import type { Proxy } from '../proxy.ts';
import { asChannelError, ChannelError } from './channel-error.ts';
import { createOperatorConnection } from './operator-connection.ts';
import { type Envelope, readMessages } from './read-messages.ts';
import { reconnectDelay, STABLE_AFTER_MS } from './reconnect-delay.ts';
import { createReporter } from './reporter.ts';

/** Three pings: a short pause of either side must not look like a death. */
export const SILENT_AFTER_MS = 3 * CONFIG_PING_INTERVAL_MS;
/** An operator that is away for hours is mentioned now and then, not at every try. */
const MENTION_INTERVAL_MS = 5 * 60_000;

export interface FleetClientOptions {
  proxy: Proxy;
  /** Of the operator: `https://understudy-operator.<namespace>.svc:<port>` */
  url: string;
  /** Namespace that this proxy serves; a token of another is then refused. */
  namespace?: string;
  /** PEM bundle of the operator's CA, and the projected ServiceAccount token. Both are read again at every use. */
  caFile: string;
  tokenFile: string;
  logger: Logger;
  random?: () => number;
  /** Milliseconds that never jump. */
  monotonic?: () => number;
  /** See `STABLE_AFTER_MS` and `SILENT_AFTER_MS`, which are the defaults. */
  stableAfterMs?: number;
  silentAfterMs?: number;
}

/** The proxy's end of the fleet channel. Nothing of a request ever waits for it, and nothing piles up while the operator is away. */
export interface FleetClient extends ConfigChannel {
  start(): void;
  stop(): Promise<void>;
  /** Whether the config stream was ever open: until then a proxy can only serve from its file. */
  everConnected(): boolean;
}

export function createFleetClient(options: FleetClientOptions): FleetClient {
  const { proxy, logger, random = Math.random, monotonic = () => performance.now() } = options;
  const { stableAfterMs = STABLE_AFTER_MS, silentAfterMs = SILENT_AFTER_MS } = options;
  const connection = createOperatorConnection(options);
  const reporter = createReporter(proxy, connection, logger);
  const stopping = new AbortController();
  let lastPush: { revision: string | undefined; at: number } | undefined;
  let connected = false;
  let everConnected = false;
  let openedAt: number | undefined;
  let failures = 0;
  let mentioned: { problem: string; at: number } | undefined;
  let running: Promise<void> | undefined;
  let unsubscribe: (() => void) | undefined;

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      openedAt = undefined;
      const problem = await followStream().catch(asChannelError);
      if (stopping.signal.aborted) return;
      const wasStable = openedAt !== undefined && monotonic() - openedAt >= stableAfterMs;
      failures = wasStable ? 1 : failures + 1;
      mention(problem);
      await pause(reconnectDelay(failures, random), stopping.signal);
    }
  }

  /** Until the stream ends, which is always a problem: says which. */
  async function followStream(): Promise<ChannelError> {
    const stream = await connection.openConfig();
    const silence = setTimeout(
      () => stream.destroy(new ChannelError('FLEET_SILENT', `the operator has said nothing for ${silentAfterMs} ms`)),
      silentAfterMs,
    );
    try {
      opened();
      for await (const message of readMessages(refreshing(silence, stream), monotonic)) take(message);
      return new ChannelError('FLEET_UNREACHABLE', 'the operator ended the config stream');
    } finally {
      clearTimeout(silence);
      stream.destroy();
      connected = false;
      reporter.pause();
    }
  }

  function opened(): void {
    connected = true;
    everConnected = true;
    openedAt = monotonic();
    mentioned = undefined;
    logger.info('connected to the operator');
    reporter.resume();
  }

  function take(message: Envelope): void {
    switch (message.type) {
      case 'ping':
        return;
      case 'config':
        apply(message.config);
        // Served or refused, the operator waits to hear it.
        reporter.tell();
    }
  }

  function apply(config: unknown): void {
    const revision = revisionOf(config);
    if (lastPush === undefined || lastPush.revision !== revision) lastPush = { revision, at: monotonic() };
    // Every new connection begins with the config, which mostly is served already.
    if (revision !== undefined && proxy.report().revision === revision) return;
    try {
      const applied = proxy.applyConfig(config);
      logger.info({ revision: applied.revision }, 'serving a config from the operator');
    } catch (error) {
      logger.error({ err: error, revision }, 'the config of the operator is refused; the last good one goes on');
    }
  }

  function mention({ code, message }: ChannelError): void {
    const now = monotonic();
    if (mentioned?.problem === code && now - mentioned.at < MENTION_INTERVAL_MS) return;
    mentioned = { problem: code, at: now };
    logger.warn({ code, detail: message, failures }, 'the operator is away: serving on, and trying again');
  }

  return {
    start() {
      if (running !== undefined) return;
      unsubscribe = proxy.onNews(() => reporter.tell());
      running = run();
    },
    async stop() {
      unsubscribe?.();
      stopping.abort();
      reporter.pause();
      connection.close();
      await running;
    },
    connected: () => connected,
    everConnected: () => everConnected,
    lastPushAt: () => lastPush?.at,
  };
}

async function* refreshing(silence: NodeJS.Timeout, chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    silence.refresh();
    yield chunk;
  }
}

function revisionOf(config: unknown): string | undefined {
  const revision = (config as { revision?: unknown } | null | undefined)?.revision;
  return typeof revision === 'string' ? revision : undefined;
}

function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, delayMs);
    signal.addEventListener('abort', done);
  });
}
