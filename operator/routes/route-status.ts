import type { RouteReport } from '../../contract/fleet.ts';
import type { RuntimeRoute } from '../../contract/runtime-config.ts';
import type { ModelRoute, ModelRouteStatus } from '../../crds/model-route.ts';
import type { Finding, RouteFindings } from '../findings.ts';
import type { ReceivedReport } from '../fleet/fleet.ts';
import { type MergedTarget, mergeTargets } from '../fleet/merge-reports.ts';
import { statusTime } from '../status-time.ts';
import { type ConditionFinding, withConditions } from '../with-conditions.ts';
import { type FailoverHistory, foldFailovers, lastFailover, type ToldFailover } from './failover-history.ts';
import { mergeActivity, type RouteActivity } from './route-activity.ts';

export interface RouteStatusInput {
  /** Its `status` is what was known before. */
  route: Pick<ModelRoute, 'metadata' | 'status'>;
  findings: RouteFindings;
  /** What proxies are to serve of the route; absent when the config does not hold it. */
  runtime: RuntimeRoute | undefined;
  /** Revision of the config, and every revision that holds this route just as it is in that one. */
  revision: string;
  equivalentRevisions: ReadonlySet<string>;
  reports: readonly ReceivedReport[];
  /** What keeps the proxies of the namespace from being made. */
  workloadProblem?: string | undefined;
  /** False while an operator that has just begun has not heard of the proxies yet: what was known of them stays. */
  fleetKnown: boolean;
  history: FailoverHistory;
  /** Milliseconds since the epoch. */
  now: number;
}

/** What is known of a route → its status. Pure; the same with a cluster and without. */
export function routeStatus(input: RouteStatusInput): { status: ModelRouteStatus; history: FailoverHistory } {
  const { route, findings, runtime, reports, history } = input;
  const context = { generation: route.metadata.generation, now: input.now };
  const own: ConditionFinding[] = [
    { type: 'Accepted', ...findings.accepted },
    { type: 'ResolvedRefs', ...findings.resolvedRefs },
  ];
  if (!input.fleetKnown) return { status: withConditions(route.status ?? {}, route.status?.conditions, own, context), history };

  const ready = reports.filter(({ report }) => report.ready);
  const activity = runtime && mergeActivity(runtime, routeReports(ready, runtime.name), route.status);
  const folded = foldFailovers(
    history,
    toldFailovers(reports, route.metadata.name),
    activity?.isBack ?? (() => false),
    input.now,
  );
  const merged = new Map(mergeTargets(ready, input.now).map((target) => [target.id, target]));
  const status: ModelRouteStatus = {
    ...whoIsActive(input, activity, merged),
    ...(runtime ? { targets: targetStatuses(input, runtime, activity, merged) } : {}),
    ...failovers(folded),
    proxies: proxies(input, ready),
  };
  const conditions: ConditionFinding[] = [
    ...own,
    { type: 'Programmed', ...programmed(input, ready) },
    { type: 'Healthy', ...healthy(status, activity) },
    { type: 'FailedOver', ...failedOver(runtime, activity) },
  ];
  return { status: withConditions(status, route.status?.conditions, conditions, context), history: folded };
}

function routeReports(ready: readonly ReceivedReport[], name: string): RouteReport[] {
  return ready.flatMap(({ report }) => report.routes.filter((route) => route.name === name));
}

/** Those of proxies that are ending, too: what they saw did happen. */
function toldFailovers(reports: readonly ReceivedReport[], name: string): ToldFailover[] {
  return reports.flatMap(({ report: { proxy, instance, failovers } }) =>
    failovers.filter((record) => record.route === name).map((record) => ({ proxy, instance, record })),
  );
}

/** With nobody to ask, what was last active stays visible, with a health that says that it is not known any more. */
function whoIsActive(
  { route, runtime, now }: RouteStatusInput,
  activity: RouteActivity | undefined,
  merged: ReadonlyMap<string, MergedTarget>,
): Pick<ModelRouteStatus, 'active' | 'health' | 'reason' | 'since'> {
  if (!runtime) return { health: 'Unknown', reason: 'NoTarget', ...since(route.status, 'NoTarget', now) };
  if (!activity) {
    const { active } = route.status ?? {};
    const shown = active === undefined ? {} : { active, since: route.status?.since ?? statusTime(now) };
    return { ...shown, health: 'Unknown', reason: 'NoProxy' };
  }
  const { active, reason } = activity;
  return {
    ...(active === undefined ? {} : { active }),
    health: (active === undefined ? undefined : merged.get(active)?.health) ?? 'Unknown',
    reason,
    since: statusTime(activity.since),
  };
}

function since(previous: ModelRouteStatus | undefined, reason: ModelRouteStatus['reason'], now: number): { since: string } {
  return { since: (previous?.reason === reason ? previous?.since : undefined) ?? statusTime(now) };
}

function targetStatuses(
  { route, now }: RouteStatusInput,
  runtime: RuntimeRoute,
  activity: RouteActivity | undefined,
  merged: ReadonlyMap<string, MergedTarget>,
): NonNullable<ModelRouteStatus['targets']> {
  return runtime.targets.map(({ id, step }) => {
    const previous = route.status?.targets?.find(({ target }) => target === id);
    const { health, reason, since: reported } = merged.get(id) ?? { health: 'Unknown', reason: 'NoSignal', since: undefined };
    const unchanged = previous?.health === health && previous.reason === reason;
    return {
      target: id,
      position: step,
      health,
      reason,
      // A proxy that has just started says "since now" of what has long been so.
      since: (unchanged ? previous.since : undefined) ?? statusTime(reported ?? now),
      share: activity ? (activity.shares.get(id) ?? 0) : (previous?.share ?? 0),
    };
  });
}

function failovers(history: FailoverHistory): Pick<ModelRouteStatus, 'failovers' | 'lastFailover'> {
  const last = lastFailover(history);
  return { failovers: history.count, ...(last ? { lastFailover: last } : {}) };
}

function proxies({ revision, equivalentRevisions }: RouteStatusInput, ready: readonly ReceivedReport[]) {
  const count = acknowledged(ready, equivalentRevisions);
  return { ready: ready.length, programmed: count, revision, summary: `${count}/${ready.length}` };
}

function acknowledged(ready: readonly ReceivedReport[], revisions: ReadonlySet<string>): number {
  return ready.filter(({ report }) => report.revision !== undefined && revisions.has(report.revision)).length;
}

const NO_PROXIES =
  'No proxy of this namespace is ready. They may be starting; else see "kubectl describe pods -l app.kubernetes.io/name=understudy-proxy".';

function programmed(input: RouteStatusInput, ready: readonly ReceivedReport[]): Finding<'Programmed'> {
  const { runtime, route, revision, equivalentRevisions, workloadProblem } = input;
  if (!runtime || runtime.generation !== (route.metadata.generation ?? 0)) {
    const message = 'The config does not hold this generation: see Accepted and ResolvedRefs.';
    return { status: 'False', reason: 'NotServed', message };
  }
  if (ready.length === 0 && workloadProblem !== undefined) {
    const message = `The proxies of this namespace can not be made: ${workloadProblem}. It is tried again.`;
    return { status: 'False', reason: 'WorkloadFailed', message };
  }
  if (ready.length === 0) return { status: 'False', reason: 'NoProxies', message: NO_PROXIES };
  const refusal = ready
    .map(({ report }) => report.refused)
    .find((refused) => refused && equivalentRevisions.has(refused.revision));
  const count = acknowledged(ready, equivalentRevisions);
  const progress = `${count} of ${ready.length} proxies serve it`;
  if (count === ready.length) return { status: 'True', reason: 'Programmed', message: `${progress}.` };
  if (refusal) {
    const message = `Revision ${refusal.revision} was refused, the last good one goes on: ${refusal.message}`;
    return { status: 'False', reason: 'Refused', message };
  }
  return { status: 'False', reason: 'Pending', message: `${progress}; revision ${revision} is on its way.` };
}

function healthy(status: ModelRouteStatus, activity: RouteActivity | undefined): Finding<'Healthy'> {
  const verdicts = status.targets?.map(({ health }) => health) ?? [];
  if (!activity) {
    return { status: 'Unknown', reason: 'NoReport', message: 'No proxy reports on this route; what was last known may be old.' };
  }
  if (verdicts.some((verdict) => verdict !== 'Unknown' && verdict !== 'Down')) {
    return { status: 'True', reason: 'Healthy', message: 'Some target can answer.' };
  }
  if (verdicts.every((verdict) => verdict === 'Down')) {
    const message = 'No target looks able to answer; requests are tried in chain order all the same.';
    return { status: 'False', reason: 'AllTargetsDown', message };
  }
  return { status: 'Unknown', reason: 'NoSignal', message: 'Neither traffic nor a probe has told yet.' };
}

function failedOver(runtime: RuntimeRoute | undefined, activity: RouteActivity | undefined): Finding<'FailedOver'> {
  if (!runtime || !activity) return { status: 'Unknown', reason: 'NoReport', message: 'No proxy reports on this route.' };
  const target = runtime.targets.find(({ id }) => id === activity.active);
  if (!target || target.step === 0) {
    return { status: 'False', reason: 'PrimaryActive', message: 'The first step of the chain answers.' };
  }
  const message = `${target.id} answers, step ${target.step} of the chain.`;
  switch (activity.reason) {
    case 'PrimaryCoolingDown':
    case 'Recovering':
      return { status: 'True', reason: activity.reason, message };
    case 'PrimaryDown':
    case 'PrimaryHealthy':
    case 'NoTraffic':
    case 'Panic':
    case 'NoTarget':
    case 'NoProxy':
      return { status: 'True', reason: 'PrimaryDown', message };
  }
}
