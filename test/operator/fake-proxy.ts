import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import type { CredentialReport, FailoverRecord, RouteReport, TargetReport } from '../../contract/fleet.ts';
import type { RuntimeConfig } from '../../contract/runtime-config.ts';
import type { HealthReason } from '../../crds/health.ts';
import { createFleetClient, type FleetClient } from '../../proxy/fleet/fleet-client.ts';
import { createStubProxy, type StubProxy } from '../fleet/stub-proxy.ts';

export interface FakeProxyOptions {
  name: string;
  namespace: string;
  url: string;
  caFile: string;
  tokenFile: string;
}

/** Speaks the fleet protocol by the real client, and reports what the test makes it see. It serves no requests. */
export interface FakeProxy {
  stub: StubProxy;
  /** Leaves the one operator for another, and goes on with all that it knows. */
  reconnect(url: string): Promise<void>;
  /** Target → verdict. All others are healthy. */
  targetIs(target: string, health: TargetReport['health'], reason: HealthReason, evidence?: string): void;
  /** Moves all routes that have this target on stage to another one, as a failover or, with `returned`, as the way back. */
  failOver(from: string, to: string): void;
  comeBack(to: string): void;
  credentialIs(secret: string, state: CredentialReport['state']): void;
  stop(): Promise<void>;
}

export function startFakeProxy(options: FakeProxyOptions): FakeProxy {
  const stub = createStubProxy(options.name);
  const startedAt = new Date().toISOString();
  const verdicts = new Map<string, Pick<TargetReport, 'health' | 'reason' | 'since' | 'evidence'>>();
  const stage = new Map<string, { active: string; since: string; reason: RouteReport['reason']; failovers: number }>();
  const credentials = new Map<string, CredentialReport['state']>();
  let config: RuntimeConfig | undefined;
  let records: FailoverRecord[] = [];

  function targets({ routes }: RuntimeConfig): TargetReport[] {
    const all = new Map(routes.flatMap((route) => route.targets.map((target) => [target.id, target])));
    return [...all.values()].map(({ id, endpoint, region, model }) => ({
      id,
      endpoint,
      region,
      model,
      ...(verdicts.get(id) ?? { health: 'Healthy', reason: 'WithinBaseline', since: startedAt }),
      attempts: 7,
      failures: 0,
      recent: { attempts: 7, failures: 0 },
      lastSignal: startedAt,
    }));
  }

  function routes({ routes: all }: RuntimeConfig): RouteReport[] {
    return all.map(({ name, generation, targets: [first, ...rest] }) => {
      const on = stage.get(name) ?? { active: first!.id, since: startedAt, reason: 'PrimaryHealthy' as const, failovers: 0 };
      const shares = [first!, ...rest].map(({ id }) => ({ target: id, share: id === on.active ? 100 : 0 }));
      return { name, generation, ...on, shares };
    });
  }

  function tell(): void {
    if (!config) return;
    const refs = new Map(config.endpoints.flatMap(({ credential: c }) => (c ? [[`${c.secret}/${c.key}`, c]] : [])));
    stub.state = {
      ...stub.state,
      ready: true,
      instance: stub.state.instance ?? randomUUID(),
      targets: targets(config),
      routes: routes(config),
      credentials: [...refs.values()].map((ref) => ({ ...ref, state: credentials.get(ref.secret) ?? 'Resolved' })),
      failovers: records,
    };
    stub.news();
  }

  const applyConfig = stub.applyConfig.bind(stub);
  stub.applyConfig = (given) => {
    config = applyConfig(given);
    tell();
    return config;
  };
  stub.acknowledge = (ids) => {
    records = records.filter(({ id }) => !ids.includes(id));
    tell();
  };

  const { namespace, caFile, tokenFile } = options;
  const connect = (url: string): FleetClient => {
    const logger = pino({ level: 'silent' });
    const next = createFleetClient({ proxy: stub, url, namespace, caFile, tokenFile, logger });
    next.start();
    return next;
  };
  stub.state = { ready: false };
  let client = connect(options.url);

  function moveRoutes(from: string, to: string, move: (route: string, failovers: number) => void): void {
    for (const { name, targets: members } of config?.routes ?? []) {
      const now = stage.get(name)?.active ?? members[0]!.id;
      if (now === from && members.some(({ id }) => id === to)) move(name, stage.get(name)?.failovers ?? 0);
    }
  }

  return {
    stub,
    async reconnect(url) {
      await client.stop();
      client = connect(url);
    },
    targetIs(target, health, reason, evidence) {
      verdicts.set(target, { health, reason, since: new Date().toISOString(), ...(evidence ? { evidence } : {}) });
      tell();
    },
    failOver(from, to) {
      const time = new Date().toISOString();
      moveRoutes(from, to, (route, failovers) => {
        stage.set(route, { active: to, since: time, reason: 'PrimaryDown', failovers: failovers + 1 });
        const evidence = '3 of 3 requests failed in 2s, last: 503';
        records.push({ id: randomUUID(), route, time, from, to, reason: 'ConsecutiveFailures', evidence, detectedIn: 2_000 });
      });
      tell();
    },
    comeBack(to) {
      const time = new Date().toISOString();
      for (const [route, { failovers }] of stage)
        stage.set(route, { active: to, since: time, reason: 'PrimaryHealthy', failovers });
      records = records.map((record) => ({ ...record, returned: time }));
      tell();
    },
    credentialIs(secret, state) {
      credentials.set(secret, state);
      tell();
    },
    stop: () => client.stop(),
  };
}
