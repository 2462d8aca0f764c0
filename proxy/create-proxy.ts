import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CredentialReport, MAX_KEPT_FAILOVERS } from '../contract/fleet.ts';
import type { RuntimeConfig } from '../contract/runtime-config.ts';
import { VERSION } from '../contract/version.ts';
import { UpstreamPools } from './attempt/upstream-pools.ts';
import { checkConfig } from './config/check-config.ts';
import { ConfigRefusedError } from './config/config-refused-error.ts';
import { getOrMake } from './get-or-make.ts';
import { HealthBook } from './health/health-book.ts';
import { DEFAULT_LIMITS, type Limits } from './limits.ts';
import { ProbeLoop, SHORT_RECOVERY_PROBE } from './probes/probe-loop.ts';
import type { Address, Proxy, ProxyOptions } from './proxy.ts';
import { RetryBudget } from './routing/retry-budget.ts';
import { type AttemptCounts, type ServingConfig, servingConfig } from './routing/serving-config.ts';
import { createAdminServer } from './server/admin-server.ts';
import { BodyBudget } from './server/body-budget.ts';
import { createDataServer } from './server/data-server.ts';
import { PassThrough } from './server/pass-through.ts';
import { monotonicClock } from './telemetry/clock.ts';
import { logTransition } from './telemetry/log-transition.ts';
import { News } from './telemetry/news.ts';
import { RequestMetrics } from './telemetry/request-metrics.ts';

/** Cooldowns end by time alone: this is how late a route's active target may follow. */
const REFRESH_INTERVAL = 500;
/** Of the words for a refused config, what the contract takes. */
const MAX_REFUSAL = 4_096;
/** While a drain waits, it looks this often whether the last request has ended. */
const DRAIN_POLL = 50;
/**
 * A connection that is closed while its client writes a request to it is a request that failed. So clients are first told, with their next
 * answers, to leave; what is still open after this has been idle for as long as Python's clients keep an idle connection.
 */
const RETIREMENT = 5_000;

/** Puts the rooms of one proxy together. Nothing listens before `start`. */
export function createProxy(options: ProxyOptions, limits: Limits = DEFAULT_LIMITS): Proxy {
  const { logger, credentials, registry } = options;
  const clock = monotonicClock;
  const random = Math.random;
  const news = new News();
  const pools = new UpstreamPools();
  const budgets = new Map<string, RetryBudget>();
  const attempts = new Map<string, AttemptCounts>();
  const instance = randomUUID();
  let serving: ServingConfig | undefined;
  let refused: { revision: string; message: string } | undefined;
  let draining: Promise<void> | undefined;

  const book = new HealthBook(clock, {
    onTransition(record, failover) {
      logTransition(logger, record, failover, clock());
      news.tell();
    },
  });
  const metrics = new RequestMetrics(registry, {
    targets: () => [...book.targets()].map(({ name }) => ({ id: name.id, attempts: attempts.get(name.id) ?? new Map() })),
    failovers: () => [...book.routes()].map(({ name, failovers }) => ({ route: name, count: failovers })),
    health: () => [...book.targets()].map((record) => ({ id: record.name.id, health: record.health(clock()).health })),
    running: () => data.running(),
  });
  const budget = (route: string): RetryBudget => getOrMake(budgets, route, () => new RetryBudget());
  const probes = new ProbeLoop({ book, pools, credentials, limits, clock, random, onResult: () => news.tell() });
  const passThrough = new PassThrough({
    serving: () => serving,
    active(route) {
      const active = [...book.routes()].find(({ name }) => name === route.route.name)?.active();
      return route.targets.find(({ target }) => target.id === active) ?? (route.targets[0] as (typeof route.targets)[0]);
    },
    credentials,
    limits,
    onFailure: (error, target) =>
      logger.warn({ code: (error as NodeJS.ErrnoException).code, target: target.target.id }, 'a passed-through request failed'),
  });
  const data = createDataServer(
    {
      serving: () => serving,
      book,
      pools,
      credentials,
      limits,
      clock,
      random,
      logger,
      budget,
      metrics,
      bodies: new BodyBudget(limits.heldBodyBytes),
    },
    passThrough,
    limits,
  );
  const admin = createAdminServer(
    { notReady: () => (draining !== undefined ? 'draining' : serving === undefined ? 'no config yet' : undefined) },
    registry,
    options.adminRoutes,
  );
  const refresh = setInterval(() => book.refresh(), REFRESH_INTERVAL);
  const forgetKeys = credentials.onChange(() => {
    book.forgetRefusals();
    news.tell();
  });

  function applyConfig(candidate: unknown): RuntimeConfig {
    let config: RuntimeConfig;
    try {
      config = checkConfig(candidate);
    } catch (error) {
      if (error instanceof ConfigRefusedError) {
        refused = { revision: error.revision ?? 'unknown', message: error.message.slice(0, MAX_REFUSAL) };
        logger.error({ revision: error.revision }, `a config was refused, the last good one goes on: ${error.message}`);
        news.tell();
      }
      throw error;
    }
    book.configure(config);
    serving = servingConfig(config, book, (id) => getOrMake(attempts, id, () => new Map()), serving);
    refused = undefined;
    forgetUnused(config);
    probes.configure(serving);
    logger.info(
      { revision: config.revision, routes: config.routes.length, endpoints: config.endpoints.length },
      'serving a new config',
    );
    news.tell();
    return config;
  }

  /** What no config names any more is not kept. */
  function forgetUnused(config: RuntimeConfig): void {
    const routes = new Set(config.routes.map(({ name }) => name));
    for (const name of budgets.keys()) if (!routes.has(name)) budgets.delete(name);
    const targets = new Set([...book.targets()].map(({ name }) => name.id));
    for (const id of attempts.keys()) if (!targets.has(id)) attempts.delete(id);
    metrics.keepOnly(routes, targets);
    const connects =
      serving?.routes.flatMap((route) =>
        route.targets.map(({ origin }) => ({ origin, connectTimeout: route.route.timeouts.connect })),
      ) ?? [];
    const probed = serving?.probed.flatMap(({ endpoint, target }) => [
      { origin: target.origin, connectTimeout: endpoint.probe?.timeout ?? 0 },
      { origin: target.origin, connectTimeout: Math.min(endpoint.probe?.timeout ?? 0, SHORT_RECOVERY_PROBE) },
    ]);
    pools.keepOnly([...connects, ...(probed ?? [])]);
  }

  function credentialReports(): CredentialReport[] {
    const endpoints = serving?.config.endpoints ?? [];
    return endpoints.flatMap(({ name, credential }): CredentialReport[] => {
      if (credential === undefined) return [];
      if (credentials.read(credential) === undefined)
        return [
          { ...credential, state: 'Missing', message: `the proxy finds no key ${credential.key} of Secret ${credential.secret}` },
        ];
      return [{ ...credential, state: 'Resolved', ...book.credentialTrouble(name) }];
    });
  }

  async function close(graceMs: number): Promise<void> {
    news.tell();
    const until = clock() + graceMs;
    const waitWhile = async (isSo: () => boolean, deadline: number) => {
      while (isSo() && clock() < deadline) await new Promise((resolve) => setTimeout(resolve, DRAIN_POLL));
    };
    data.retireConnections();
    await waitWhile(() => data.connections() > 0, Math.min(until, clock() + RETIREMENT));
    // Idle connections go, and those of running answers end with them; new ones are not taken.
    data.server.close();
    data.server.closeIdleConnections();
    await waitWhile(() => data.running() > 0, until);
    if (data.running() > 0) logger.warn({ running: data.running() }, 'the grace period is over: what still runs is cut');
    passThrough.closeSockets();
    data.server.closeAllConnections();
    admin.close();
    admin.closeAllConnections();
    probes.stop();
    clearInterval(refresh);
    forgetKeys();
    news.stop();
    await pools.destroy();
  }

  return {
    async start() {
      return { listen: await listen(data.server, options.listen), admin: await listen(admin, options.admin) };
    },
    applyConfig,
    report: () => ({
      proxy: options.name,
      instance,
      version: VERSION,
      ready: draining === undefined && serving !== undefined,
      ...(serving === undefined ? {} : { revision: serving.config.revision }),
      ...(refused === undefined ? {} : { refused }),
      targets: book.targetReports(),
      routes: [...book.routes()].map((ledger) => ledger.report(clock())),
      credentials: credentialReports(),
      failovers: [...book.routes()].flatMap((ledger) => ledger.records()).slice(-MAX_KEPT_FAILOVERS),
    }),
    acknowledge(ids) {
      const known = new Set(ids);
      for (const ledger of book.routes()) ledger.forget(known);
    },
    onNews: (listener) => news.listen(listener),
    adoptView: (view) => book.adopt(view),
    drain(graceMs) {
      draining ??= close(graceMs);
      return draining;
    },
  };
}

async function listen(server: Server, address: Address): Promise<Address> {
  // No host: every address of the machine or pod.
  server.listen(address.port, address.host === '' ? undefined : address.host);
  await once(server, 'listening');
  return { host: address.host, port: (server.address() as AddressInfo).port };
}
