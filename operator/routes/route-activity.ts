import type { RouteReport } from '../../contract/fleet.ts';
import type { RuntimeRoute } from '../../contract/runtime-config.ts';
import type { ModelRouteStatus } from '../../crds/model-route.ts';

/** What the replicas do with one route, taken together. */
export interface RouteActivity {
  active?: string;
  reason: RouteReport['reason'];
  since: string;
  /** Target → mean percent of the traffic that it is given. */
  shares: ReadonlyMap<string, number>;
  /** Whether every replica answers from this target again, or from one that the chain prefers to it. */
  isBack(target: string): boolean;
}

/**
 * The active target of the fleet is the one that most replicas have; among equals the one with the larger share of the traffic, then the one
 * that was active before (two replicas that disagree for a moment must not make a status flap), then the chain decides.
 * `undefined` when no replica reports the route.
 */
export function mergeActivity(
  route: RuntimeRoute,
  reports: readonly RouteReport[],
  previous: ModelRouteStatus | undefined,
): RouteActivity | undefined {
  if (reports.length === 0) return undefined;
  const shares = new Map(
    route.targets.map(({ id }) => [id, Math.round(sum(reports.map((report) => shareOf(report, id))) / reports.length)]),
  );
  const active = route.targets
    .map(({ id }, rank) => ({ id, rank, votes: reports.filter((report) => report.active === id).length }))
    .filter(({ votes }) => votes > 0)
    .sort(
      (a, b) =>
        b.votes - a.votes ||
        shares.get(b.id)! - shares.get(a.id)! ||
        Number(b.id === previous?.active) - Number(a.id === previous?.active) ||
        a.rank - b.rank,
    )[0]?.id;
  const voters = reports.filter((report) => report.active === active);
  const witness = mostTelling(voters.length > 0 ? voters : reports);
  return {
    ...(active === undefined ? {} : { active }),
    reason: witness.reason,
    since: sinceWhen(active, voters.length > 0 ? voters : reports, previous),
    shares,
    isBack: (target) => reports.every((report) => report.active !== undefined && isAtLeast(route, report.active, target)),
  };
}

/** A replica without traffic agrees with the others, but knows no reason. Among reasons, the newest is the one to tell. */
function mostTelling(reports: readonly RouteReport[]): RouteReport {
  const telling = reports.filter((report) => report.reason !== 'NoTraffic');
  return (telling.length > 0 ? telling : reports).reduce((best, report) =>
    Date.parse(report.since) > Date.parse(best.since) ? report : best,
  );
}

/** A replica that has just started says "since now" of what has long been so. */
function sinceWhen(active: string | undefined, reports: readonly RouteReport[], previous: ModelRouteStatus | undefined): string {
  if (active !== undefined && previous?.active === active && previous.since !== undefined) return previous.since;
  return reports.map((report) => report.since).reduce((first, time) => (Date.parse(time) < Date.parse(first) ? time : first));
}

function shareOf(report: RouteReport, target: string): number {
  return report.shares.find((share) => share.target === target)?.share ?? 0;
}

/** Whether `active` is as good as `wanted`. A target that has left the chain is not waited for. */
function isAtLeast({ targets }: RuntimeRoute, active: string, wanted: string): boolean {
  if (active === wanted) return true;
  const [have, want] = [active, wanted].map((id) => targets.findIndex((target) => target.id === id)) as [number, number];
  if (want === -1) return true;
  if (have === -1) return false;
  const [a, b] = [targets[have]!, targets[want]!];
  // Regions of one entry have an order; entries of one weighted step do not.
  return a.step < b.step || (a.entry === b.entry && have < want);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
