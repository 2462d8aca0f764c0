import type { RouteReport, TargetReport } from '../../contract/fleet.ts';
import type { RuntimeRoute } from '../../contract/runtime-config.ts';
import type { ModelRouteStatus } from '../../crds/model-route.ts';
import type { ReceivedReport } from '../fleet/fleet.ts';
import { compareStatus } from '../status-writes.ts';
import { readHistory } from './failover-history.ts';
import { routeInWords } from './route-in-words.ts';
import { routeStatus } from './route-status.ts';

const NOW = Date.parse('2026-11-23T12:00:00Z');
const at = (seconds: number) => new Date(NOW + seconds * 1_000).toISOString();
const FIRST = 'openai/us/gpt';
const SECOND = 'vllm/local/llama';

describe('routeStatus', () => {
  it('shows the first step as active when all is well', () => {
    const status = statusOf({ proxies: [proxy(), proxy()] });
    expect(status).toMatchObject({ active: FIRST, health: 'Healthy', reason: 'PrimaryHealthy', failovers: 0 });
    expect(status.proxies).toEqual({ ready: 2, programmed: 2, revision: 'r1', summary: '2/2' });
    expect(conditions(status)).toEqual([
      'Accepted=True/Accepted',
      'ResolvedRefs=True/ResolvedRefs',
      'Programmed=True/Programmed',
      'Healthy=True/Healthy',
      'FailedOver=False/PrimaryActive',
    ]);
  });

  it.each<{ sentence: string; proxies: ProxyState[]; active: string; reason: string; failedOver: string }>([
    {
      sentence: 'follows the majority of the replicas',
      proxies: [proxy(), onSecond(), onSecond()],
      active: SECOND,
      reason: 'PrimaryDown',
      failedOver: 'True/PrimaryDown',
    },
    {
      sentence: 'stays with the chain when replicas disagree evenly and nothing was active before',
      proxies: [proxy(), onSecond()],
      active: FIRST,
      reason: 'PrimaryHealthy',
      failedOver: 'False/PrimaryActive',
    },
    {
      sentence: 'tells a cooldown from an outage',
      proxies: [onSecond('PrimaryCoolingDown')],
      active: SECOND,
      reason: 'PrimaryCoolingDown',
      failedOver: 'True/PrimaryCoolingDown',
    },
    {
      sentence: 'prefers a reason that someone has seen to one without traffic',
      proxies: [onSecond('NoTraffic'), onSecond()],
      active: SECOND,
      reason: 'PrimaryDown',
      failedOver: 'True/PrimaryDown',
    },
    {
      sentence: 'does not call it a failover when the chain is tried in order because all is down',
      proxies: [{ ...proxy(), reason: 'Panic' }],
      active: FIRST,
      reason: 'Panic',
      failedOver: 'False/PrimaryActive',
    },
  ])('$sentence', ({ proxies, active, reason, failedOver }) => {
    const status = statusOf({ proxies });
    expect(status).toMatchObject({ active, reason });
    expect(conditions(status)).toContain(`FailedOver=${failedOver}`);
  });

  it.each<{ sentence: string; proxies: ProxyState[]; served?: boolean; generation?: number; expected: string }>([
    {
      sentence: 'is programmed when every ready replica has the revision',
      proxies: [proxy(), proxy()],
      expected: 'True/Programmed',
    },
    {
      sentence: 'is programmed by an older revision that holds the same route',
      proxies: [{ ...proxy(), revision: 'r0' }],
      expected: 'True/Programmed',
    },
    {
      sentence: 'is pending while one has another revision',
      proxies: [proxy(), { ...proxy(), revision: 'old' }],
      expected: 'False/Pending',
    },
    {
      sentence: 'does not wait for a replica that is ending',
      proxies: [proxy(), { ...proxy(), revision: 'old', ready: false }],
      expected: 'True/Programmed',
    },
    {
      sentence: 'is refused when a replica says so',
      proxies: [proxy(), { ...proxy(), revision: 'old', refused: 'r1' }],
      expected: 'False/Refused',
    },
    { sentence: 'has no proxies when none is ready', proxies: [{ ...proxy(), ready: false }], expected: 'False/NoProxies' },
    { sentence: 'is not served when the config lacks it', proxies: [proxy()], served: false, expected: 'False/NotServed' },
    {
      sentence: 'is not served when the config holds an older generation',
      proxies: [proxy()],
      generation: 2,
      expected: 'False/NotServed',
    },
  ])('$sentence', ({ proxies, served = true, generation = 1, expected }) => {
    expect(conditions(statusOf({ proxies, served, generation }))).toContain(`Programmed=${expected}`);
  });

  it.each<{ sentence: string; health: [TargetReport['health'], TargetReport['health']]; expected: string }>([
    { sentence: 'is healthy while one target can answer', health: ['Down', 'Healthy'], expected: 'True/Healthy' },
    { sentence: 'counts a recovering target as one that can', health: ['Down', 'Recovering'], expected: 'True/Healthy' },
    { sentence: 'is not healthy when all are down', health: ['Down', 'Down'], expected: 'False/AllTargetsDown' },
    { sentence: 'does not know before anything was seen', health: ['Unknown', 'Unknown'], expected: 'Unknown/NoSignal' },
    {
      sentence: 'does not know while what is not down was never seen',
      health: ['Down', 'Unknown'],
      expected: 'Unknown/NoSignal',
    },
  ])('$sentence', ({ health, expected }) => {
    expect(conditions(statusOf({ proxies: [{ ...proxy(), health }] }))).toContain(`Healthy=${expected}`);
  });

  it('is Unknown when nobody reports, and keeps in sight who was active last', () => {
    const before = statusOf({ proxies: [onSecond()] });
    const status = statusOf({ proxies: [], before });
    expect(status).toMatchObject({ active: SECOND, since: before.since, health: 'Unknown', reason: 'NoProxy' });
    expect(status.targets).toMatchObject([{ health: 'Unknown' }, { health: 'Unknown', share: 100 }]);
    expect(conditions(status)).toEqual(expect.arrayContaining(['Healthy=Unknown/NoReport', 'FailedOver=Unknown/NoReport']));
  });

  it('says nothing new of the fleet while an operator that has just begun has not heard of it', () => {
    const before = statusOf({ proxies: [proxy(), proxy()] });
    expect(statusOf({ proxies: [], before, fleetKnown: false })).toEqual(before);
  });

  it('does not move "since" when a replica restarts, and moves it when traffic does', () => {
    const before = statusOf({ proxies: [proxy()] });
    const restarted = statusOf({ proxies: [{ ...proxy(), since: at(500) }], before });
    expect(restarted.since).toBe(before.since);
    expect(restarted.targets![0]!.since).toBe(before.targets![0]!.since);
    expect(statusOf({ proxies: [{ ...onSecond(), since: at(600) }], before }).since).toBe('2026-11-23T12:10:00Z');
  });

  it('is no news when nothing changed, and news when a verdict or the revision of the route did', () => {
    const before = statusOf({ proxies: [proxy()] });
    expect(compareStatus(before, statusOf({ proxies: [proxy()], before }), routeInWords)).toBe('None');
    expect(compareStatus(before, statusOf({ proxies: [proxy()], before, revision: 'r2' }), routeInWords)).toBe('News');
    const down = statusOf({ proxies: [{ ...proxy(), health: ['Down', 'Healthy'] }], before });
    expect(compareStatus(before, down, routeInWords)).toBe('News');
  });
});

interface ProxyState {
  ready: boolean;
  revision: string;
  refused?: string;
  active: string;
  reason: RouteReport['reason'];
  since: string;
  health: [TargetReport['health'], TargetReport['health']];
}

function proxy(): ProxyState {
  return { ready: true, revision: 'r1', active: FIRST, reason: 'PrimaryHealthy', since: at(-60), health: ['Healthy', 'Healthy'] };
}

function onSecond(reason: RouteReport['reason'] = 'PrimaryDown'): ProxyState {
  return { ...proxy(), active: SECOND, reason, health: ['Down', 'Healthy'] };
}

const RUNTIME: RuntimeRoute = {
  name: 'chat',
  generation: 1,
  models: ['gpt'],
  targets: [
    { id: FIRST, endpoint: 'openai', region: 'us', model: 'gpt', step: 0, entry: 0, weight: 1 },
    { id: SECOND, endpoint: 'vllm', region: 'local', model: 'llama', step: 1, entry: 1, weight: 1 },
  ],
  timeouts: { connect: 1, firstContent: 1, idle: 1, total: 1 },
  retries: { maxAttempts: 1, sameTarget: 0, budgetPercent: 0, waitUpTo: 0 },
  streaming: { commit: 'FirstContent', afterCommit: 'Error' },
};

function statusOf(given: {
  proxies: ProxyState[];
  before?: ModelRouteStatus;
  served?: boolean;
  generation?: number;
  fleetKnown?: boolean;
  revision?: string;
}): ModelRouteStatus {
  const { proxies, before, served = true, generation = 1, fleetKnown = true, revision = 'r1' } = given;
  return routeStatus({
    route: { metadata: { name: 'chat', namespace: 'sales', generation }, status: before },
    findings: {
      accepted: { status: 'True', reason: 'Accepted', message: 'The spec is valid.' },
      resolvedRefs: { status: 'True', reason: 'ResolvedRefs', message: 'Everything exists.' },
      served,
    },
    runtime: served ? RUNTIME : undefined,
    revision,
    equivalentRevisions: new Set(['r0', 'r1', revision]),
    reports: proxies.map(report),
    fleetKnown,
    history: readHistory(before),
    now: NOW,
  }).status;
}

function report(state: ProxyState, index: number): ReceivedReport {
  const { ready, revision, refused, active, reason, since, health } = state;
  return {
    receivedAt: NOW,
    report: {
      proxy: `proxy-${index}`,
      instance: `i${index}`,
      version: '0',
      ready,
      revision,
      ...(refused ? { refused: { revision: refused, message: 'no' } } : {}),
      targets: RUNTIME.targets.map(({ id, endpoint, region, model }, position) => ({
        id,
        endpoint,
        region,
        model,
        health: health[position]!,
        reason: health[position] === 'Unknown' ? 'NoSignal' : health[position] === 'Healthy' ? 'WithinBaseline' : 'ErrorRate',
        since,
        attempts: 0,
        failures: 0,
        recent: { attempts: 0, failures: 0 },
        ...(health[position] === 'Unknown' ? {} : { lastSignal: at(-1) }),
      })),
      routes: [
        {
          name: 'chat',
          generation: 1,
          active,
          reason,
          since,
          shares: RUNTIME.targets.map(({ id }) => ({ target: id, share: id === active ? 100 : 0 })),
          failovers: 0,
        },
      ],
      credentials: [],
      failovers: [],
    },
  };
}

function conditions(status: ModelRouteStatus): string[] {
  return status.conditions!.map(({ type, status: is, reason }) => `${type}=${is}/${reason}`);
}
