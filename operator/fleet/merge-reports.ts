import {
  type FleetView,
  PROXY_GONE_AFTER_MS,
  type ProbeResult,
  type TargetReport,
  type TargetView,
} from '../../contract/fleet.ts';
import type { Health } from '../../crds/health.ts';
import type { ReceivedReport } from './fleet.ts';

/**
 * A replica has a say on a target while its last signal is at most this much older than the newest signal of any replica. Counted
 * from the newest, not from now, so that a target that is seldom asked keeps its verdict, and the operator's clock does not matter.
 */
export const SIGNAL_WINDOW_MS = 60_000;
const MAX_EVIDENCE_LENGTH = 1_024;

/** What the fleet knows of one target, with the figures that a status shows. */
export interface MergedTarget extends TargetView {
  endpoint: string;
  region: string;
  model: string;
  /** Over the replicas that have a say. */
  recent: { attempts: number; failures: number };
  /**
   * Percentiles can't be merged exactly. `p50` is the mean of the replicas' medians, weighted by their recent attempts: between the
   * smallest and the largest, as the true one is. `p95` is the worst replica's: the true one is not above it.
   */
  firstToken?: { p50: number; p95: number };
}

/**
 * Merges what replicas say. Pure, and the same for status, for the view that each proxy is given (its own report left out), and for
 * one process without a cluster.
 *
 * The rule, for each target, over the replicas that have a say (a verdict of their own other than `Unknown`, with a signal in the window;
 * `ReportedByFleet` is hearsay, and would keep a verdict alive by echo):
 * - more than half say `Down`: `Down`. So does the only replica with a say, for its evidence is all there is; but one of two or more
 *   may have a broken network of its own, and must not take a target away from the others.
 * - otherwise any `Down` or `Degraded` beside a `Healthy`, or any `Degraded` at all: `Degraded`. Part of the traffic does fail.
 * - otherwise any `Recovering`: `Recovering`. One replica's trial is still one replica's trial. A `Down` that is no majority beside
 *   trials, and no `Healthy`, is the same recovery at another pace.
 * - otherwise `Healthy`; with nobody who has a say, `Unknown`.
 */
export function mergeTargets(reports: readonly ReceivedReport[], now: number): MergedTarget[] {
  const byId = new Map<string, TargetReport[]>();
  for (const { report } of fresh(reports, now)) {
    for (const target of report.targets) {
      const replicas = byId.get(target.id);
      if (replicas) replicas.push(target);
      else byId.set(target.id, [target]);
    }
  }
  return [...byId.values()].map(mergeTarget);
}

export function mergeReports(reports: readonly ReceivedReport[], now: number): FleetView {
  const targets = mergeTargets(reports, now).map(
    ({ endpoint: _endpoint, region: _region, model: _model, recent: _recent, firstToken: _firstToken, ...view }) => view,
  );
  return { time: new Date(now).toISOString(), proxies: fresh(reports, now).length, targets };
}

function fresh(reports: readonly ReceivedReport[], now: number): ReceivedReport[] {
  return reports.filter(({ receivedAt }) => now - receivedAt < PROXY_GONE_AFTER_MS);
}

function mergeTarget(replicas: TargetReport[]): MergedTarget {
  const newest = Math.max(...replicas.map(signalTime));
  const recentReplicas = replicas.filter((replica) => signalTime(replica) >= newest - SIGNAL_WINDOW_MS);
  const voters = recentReplicas.filter(
    ({ health, reason, lastSignal }) => health !== 'Unknown' && reason !== 'ReportedByFleet' && lastSignal !== undefined,
  );
  const { id, endpoint, region, model } = replicas[0]!;
  const lastSuccess = latest(replicas.map((replica) => replica.lastSuccess));
  const lastSignal = latest(replicas.map((replica) => replica.lastSignal));
  const probe = freshestProbe(replicas);
  const firstToken = mergeFirstToken(recentReplicas);
  return {
    id,
    endpoint,
    region,
    model,
    ...(voters.length === 0 ? withoutSay(replicas) : verdict(voters)),
    ...(lastSuccess === undefined ? {} : { lastSuccess }),
    ...(lastSignal === undefined ? {} : { lastSignal }),
    ...(probe === undefined ? {} : { probe }),
    recent: {
      attempts: sum(recentReplicas.map(({ recent }) => recent.attempts)),
      failures: sum(recentReplicas.map(({ recent }) => recent.failures)),
    },
    ...(firstToken === undefined ? {} : { firstToken }),
  };
}

type Verdict = Pick<TargetView, 'health' | 'reason' | 'since' | 'evidence'>;

/**
 * Nobody has a say. A verdict that needs no signal, such as a cooldown for a missing key, still says something; hearsay and no signal
 * say nothing.
 */
function withoutSay(replicas: TargetReport[]): Verdict {
  const telling = replicas.filter(({ reason }) => reason !== 'NoSignal' && reason !== 'ReportedByFleet');
  if (telling.length > 0) return verdictOf(freshest(telling));
  return { health: 'Unknown', reason: 'NoSignal', since: freshest(replicas).since };
}

function verdict(voters: TargetReport[]): Verdict {
  const health = mergeHealth(voters.map((voter) => voter.health));
  const deciding = voters.filter((voter) => decides(voter.health, health));
  const witness = freshest(deciding);
  const since = deciding.map((voter) => voter.since).reduce((earliest, time) => (isBefore(time, earliest) ? time : earliest));
  const evidence =
    witness.evidence !== undefined && voters.length > 1
      ? `${deciding.length} of ${voters.length} proxies: ${witness.evidence}`.slice(0, MAX_EVIDENCE_LENGTH)
      : witness.evidence;
  return { ...verdictOf({ ...witness, evidence }), health, since };
}

/** Exported for its table of cases. Takes at least one verdict, none of them `Unknown`. */
export function mergeHealth(votes: readonly Health[]): Health {
  const count = (health: Health) => votes.filter((vote) => vote === health).length;
  if (count('Down') * 2 > votes.length) return 'Down';
  if (count('Degraded') > 0) return 'Degraded';
  if (count('Down') > 0) return count('Recovering') > 0 && count('Healthy') === 0 ? 'Recovering' : 'Degraded';
  return count('Recovering') > 0 ? 'Recovering' : 'Healthy';
}

/** Whose evidence stands behind a merged verdict: `Degraded` may rest on a `Down` that found no majority. */
function decides(vote: Health, merged: Health): boolean {
  return vote === merged || (merged === 'Degraded' && vote === 'Down');
}

function verdictOf({ health, reason, since, evidence }: Pick<TargetReport, 'health' | 'reason' | 'since' | 'evidence'>): Verdict {
  return { health, reason, since, ...(evidence === undefined ? {} : { evidence }) };
}

function freshest(replicas: TargetReport[]): TargetReport {
  return replicas.reduce((best, replica) => (signalTime(replica) > signalTime(best) ? replica : best));
}

/** The freshest that was carried out, unless all have long been skipped since: a skip says less, and must not hide an outcome. */
function freshestProbe(replicas: TargetReport[]): ProbeResult | undefined {
  const probes = replicas.flatMap(({ probe }) => (probe === undefined ? [] : [probe]));
  const byTime = (best: ProbeResult | undefined, probe: ProbeResult) =>
    best !== undefined && !isBefore(best.time, probe.time) ? best : probe;
  const newest = probes.reduce(byTime, undefined);
  const carriedOut = probes.filter(({ outcome }) => outcome !== 'Skipped').reduce(byTime, undefined);
  if (newest === undefined || carriedOut === undefined) return newest;
  return Date.parse(newest.time) - Date.parse(carriedOut.time) > SIGNAL_WINDOW_MS ? newest : carriedOut;
}

function mergeFirstToken(replicas: TargetReport[]): { p50: number; p95: number } | undefined {
  const known = replicas.flatMap(({ firstToken, recent }) =>
    firstToken === undefined ? [] : [{ ...firstToken, weight: Math.max(1, recent.attempts - recent.failures) }],
  );
  if (known.length === 0) return undefined;
  const weight = sum(known.map((one) => one.weight));
  return { p50: sum(known.map((one) => one.p50 * one.weight)) / weight, p95: Math.max(...known.map((one) => one.p95)) };
}

/** Epoch milliseconds; a replica without a signal is older than every other. */
function signalTime({ lastSignal }: TargetReport): number {
  return lastSignal === undefined ? 0 : Date.parse(lastSignal);
}

function latest(times: Array<string | undefined>): string | undefined {
  return times.reduce(
    (best, time) => (time !== undefined && (best === undefined || isBefore(best, time)) ? time : best),
    undefined,
  );
}

function isBefore(one: string, other: string): boolean {
  return Date.parse(one) < Date.parse(other);
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
