import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino, { type Logger } from 'pino';
import { Registry } from 'prom-client';
import type { AuthenticateProxy } from '../../operator/fleet/authenticate-proxy.ts';
import { type CertificateAuthority, createCertificateAuthority } from '../../operator/fleet/certificate-authority.ts';
import { createFleetServer, type FleetServer } from '../../operator/fleet/fleet-server.ts';
import { type Clock, systemClock } from '../../operator/kube/clock.ts';
import { createFleetClient, type FleetClient, type FleetClientOptions } from '../../proxy/fleet/fleet-client.ts';
import type { Proxy } from '../../proxy/proxy.ts';
import { createMemoryCaStore, type MemoryCaStore } from './memory-ca-store.ts';

/** Tokens of the tests: `<namespace>:<pod>`. Who needs the API server's own word uses a real one: see token.test.ts. */
export const readableTokens: AuthenticateProxy = async (authorization) => {
  const [, namespace, pod] = /^Bearer ([a-z-]+):([a-z0-9-]+)$/.exec(authorization ?? '') ?? [];
  if (namespace === undefined) return { outcome: 'Unauthenticated', message: 'no token' };
  if (namespace === 'strangers') return { outcome: 'Forbidden', message: 'no proxy' };
  return { outcome: 'Accepted', identity: { namespace, pod } };
};

export interface Operator {
  fleet: FleetServer;
  authority: CertificateAuthority;
  registry: Registry;
  port: number;
  /** `https://127.0.0.1:<port>` */
  url: string;
  /** Value of a metric, summed over its labels. */
  metric(name: string): Promise<number>;
  stop(): Promise<void>;
}

/** Everything that one test starts, and one `close` for all of it. */
export interface Harness {
  directory: string;
  caFile: string;
  store: MemoryCaStore;
  /** What both ends logged, as JSON lines. */
  logs: string[];
  logger: Logger;
  operator(options?: { port?: number; clock?: Clock; authenticate?: AuthenticateProxy }): Promise<Operator>;
  client(proxy: Proxy, options: { url: string; token?: string } & Partial<FleetClientOptions>): FleetClient;
  /** A TCP relay to a port, for cutting. */
  relay(port: number): Promise<{ url: string; cut(): void; connections(): number }>;
  onClose(closer: () => unknown): void;
  close(): Promise<void>;
}

export function createHarness(): Harness {
  const directory = mkdtempSync(join(tmpdir(), 'understudy-fleet-'));
  const caFile = join(directory, 'ca.crt');
  const store = createMemoryCaStore();
  const logs: string[] = [];
  const logger = pino({ level: 'debug' }, { write: (line: string) => void logs.push(line) });
  const closers: Array<() => unknown> = [];
  let tokens = 0;

  return {
    directory,
    caFile,
    store,
    logs,
    logger,
    async operator({ port = 0, clock = systemClock, authenticate = readableTokens } = {}) {
      const authority = createCertificateAuthority({ store, hosts: ['127.0.0.1', 'localhost'], clock, logger });
      await authority.start();
      writeFileSync(caFile, authority.caBundle());
      const registry = new Registry();
      const listen = { host: '127.0.0.1', port };
      const fleet = createFleetServer({ listen, authenticate, certificates: authority, clock, logger, registry });
      const address = await fleet.start();
      const operator: Operator = {
        fleet,
        authority,
        registry,
        port: address.port,
        url: `https://127.0.0.1:${address.port}`,
        async metric(name) {
          for (const { values } of await registry.getMetricsAsJSON()) {
            const found = (values as Array<{ value: number; metricName?: string }>).filter(
              ({ metricName }) => metricName === name,
            );
            if (found.length > 0) return found.reduce((sum, { value }) => sum + value, 0);
          }
          const metric = registry.getSingleMetric(name);
          const { values } = (await metric?.get()) ?? { values: [] };
          return values.reduce((sum, { value }) => sum + value, 0);
        },
        async stop() {
          authority.stop();
          await fleet.stop();
        },
      };
      closers.push(() => operator.stop());
      return operator;
    },
    client(proxy, { token = 'sales:proxy-a', ...options }) {
      tokens += 1;
      const tokenFile = join(directory, `token-${tokens}`);
      writeFileSync(tokenFile, `${token}\n`);
      const client = createFleetClient({ proxy, caFile, tokenFile, logger, stableAfterMs: 0, ...options });
      closers.push(() => client.stop());
      client.start();
      return client;
    },
    async relay(port) {
      const sockets = new Set<Socket>();
      const server = createServer((near) => {
        const far = connect(port, '127.0.0.1');
        for (const [one, other] of [
          [near, far],
          [far, near],
        ] as const) {
          sockets.add(one);
          one.pipe(other);
          one.on('error', () => other.destroy());
          one.on('close', () => {
            sockets.delete(one);
            other.destroy();
          });
        }
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const cut = () => {
        for (const socket of sockets) socket.destroy();
      };
      closers.push(() => {
        server.close();
        cut();
      });
      const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
      return { url, cut, connections: () => sockets.size / 2 };
    },
    onClose: (closer) => void closers.push(closer),
    async close() {
      for (const closer of closers.reverse()) await closer();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
