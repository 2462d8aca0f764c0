import type { CredentialReport, ProbeResult } from '../../contract/fleet.ts';
import { formatDuration } from '../../crds/duration.ts';
import type { Health, HealthReason } from '../../crds/health.ts';
import type { ProviderEndpoint, ProviderEndpointStatus } from '../../crds/provider-endpoint.ts';
import type { EndpointFindings, Finding } from '../findings.ts';
import type { FleetTotals, ReceivedReport } from '../fleet/fleet.ts';
import { type MergedTarget, mergeTargets } from '../fleet/merge-reports.ts';
import { statusTime } from '../status-time.ts';
import { type ConditionFinding, withConditions } from '../with-conditions.ts';

export interface EndpointStatusInput {
  /** Its `status` is what was known before. */
  endpoint: Pick<ProviderEndpoint, 'metadata' | 'status'> & { spec: Pick<ProviderEndpoint['spec'], 'regions' | 'credentials'> };
  findings: EndpointFindings;
  reports: readonly ReceivedReport[];
  totals: FleetTotals['targets'];
  /** False while an operator that has just begun has not heard of the proxies yet: what was known of them stays. */
  fleetKnown: boolean;
  /** Milliseconds since the epoch. */
  now: number;
}

type RegionStatus = NonNullable<ProviderEndpointStatus['regions']>[number];
type ModelStatus = NonNullable<RegionStatus['models']>[number];
interface Verdict {
  health: Health;
  reason: HealthReason;
  since?: string | undefined;
}

type Previous = { [K in keyof Verdict]?: Verdict[K] | undefined };

const UNKNOWN: Verdict = { health: 'Unknown', reason: 'NoSignal' };
/** Of a region the worst verdict counts. What is not known is no verdict. */
const WORST_FIRST: readonly Health[] = ['Down', 'Degraded', 'Recovering', 'Healthy', 'Unknown'];
/** Of an endpoint the best one: what it can still do. */
const BEST_FIRST: readonly Health[] = ['Healthy', 'Recovering', 'Degraded', 'Down', 'Unknown'];

/** What is known of an endpoint → its status. Pure; the same with a cluster and without. */
export function endpointStatus(input: EndpointStatusInput): ProviderEndpointStatus {
  const { endpoint, findings, now } = input;
  const previous = endpoint.status;
  const context = { generation: endpoint.metadata.generation, now };
  const accepted: ConditionFinding = { type: 'Accepted', ...findings.accepted };
  if (!input.fleetKnown) return withConditions(previous ?? {}, previous?.conditions, [accepted], context);

  const ready = findings.used ? input.reports.filter(({ report }) => report.ready) : [];
  const targets = mergeTargets(ready, now).filter((target) => target.endpoint === endpoint.metadata.name);
  const regions = endpoint.spec.regions.map(({ name }) => regionStatus(name, targets, input));
  const status = { ...withSince(pick(regions, BEST_FIRST), previous, now), regions };
  return withConditions(
    status,
    previous?.conditions,
    [
      accepted,
      { type: 'CredentialsResolved', ...credentialsResolved(input, ready) },
      { type: 'Healthy', ...healthy(findings, regions, ready.length > 0) },
    ],
    context,
  );
}

function regionStatus(name: string, targets: readonly MergedTarget[], input: EndpointStatusInput): RegionStatus {
  const { endpoint, now } = input;
  const previous = endpoint.status?.regions?.find((region) => region.name === name);
  const reported = targets.filter((target) => target.region === name);
  const models =
    reported.length > 0
      ? reported.map((target) => modelStatus(target, previous?.models, input))
      : (previous?.models ?? []).map((model) => forgotten(model, now));
  const probe = newestProbe(reported) ?? previous?.probe;
  return {
    name,
    ...withSince(pick(models, WORST_FIRST), previous, now),
    ...(probe ? { probe } : {}),
    ...(models.length > 0 ? { models: models.sort((a, b) => (a.name < b.name ? -1 : 1)) } : {}),
  };
}

function modelStatus(
  { id, model, recent, firstToken, evidence, ...verdict }: MergedTarget,
  previous: readonly ModelStatus[] | undefined,
  { totals, now }: EndpointStatusInput,
): ModelStatus {
  const attempts = totals.get(id)?.attempts;
  return {
    name: model,
    ...withSince(
      verdict,
      previous?.find(({ name }) => name === model),
      now,
    ),
    ...(evidence === undefined ? {} : { message: evidence }),
    ...(recent.attempts > 0 ? { errorRate: percent(recent.failures / recent.attempts) } : {}),
    ...(firstToken ? { firstTokenP50: formatDuration(firstToken.p50), firstTokenP95: formatDuration(firstToken.p95) } : {}),
    ...(attempts === undefined ? {} : { requests: attempts }),
  };
}

/** Nobody reports it any more: its figures stay visible, its verdict does not. */
function forgotten(model: ModelStatus, now: number): ModelStatus {
  return { ...model, ...withSince(UNKNOWN, model, now) };
}

function withSince({ health, reason, since }: Verdict, previous: Previous | undefined, now: number) {
  const unchanged = previous?.health === health && previous.reason === reason;
  // A proxy that has just started says "since now" of what has long been so.
  return { health, reason, since: (unchanged ? previous.since : undefined) ?? statusTime(since ?? now) };
}

/** The first verdict in this order; among equals the one that has held for longest. */
function pick(verdicts: readonly Verdict[], order: readonly Health[]): Verdict {
  const sorted = [...verdicts].sort(
    (a, b) => order.indexOf(a.health) - order.indexOf(b.health) || (a.since ?? '').localeCompare(b.since ?? ''),
  );
  return sorted[0] ?? UNKNOWN;
}

function newestProbe(targets: readonly MergedTarget[]): RegionStatus['probe'] {
  const [newest] = targets.flatMap(({ probe }) => (probe ? [probe] : [])).sort((a, b) => Date.parse(b.time) - Date.parse(a.time));
  return newest && shownProbe(newest);
}

function shownProbe({ time, outcome, latency, message }: ProbeResult): RegionStatus['probe'] {
  return {
    time: statusTime(time),
    outcome,
    ...(latency === undefined ? {} : { latency: formatDuration(latency) }),
    ...(message === undefined ? {} : { message }),
  };
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(1))}%`;
}

const STATE_TO_REASON = {
  Missing: 'SecretMissing',
  Refused: 'Refused',
  QuotaExhausted: 'QuotaExhausted',
} as const satisfies Record<Exclude<CredentialReport['state'], 'Resolved'>, Finding<'CredentialsResolved'>['reason']>;

/** The operator can't look for itself: it has no access to Secrets. What counts is what the proxies found. */
function credentialsResolved(
  { endpoint, findings }: EndpointStatusInput,
  ready: readonly ReceivedReport[],
): Finding<'CredentialsResolved'> {
  const ref = endpoint.spec.credentials?.secretRef;
  if (!ref) return { status: 'True', reason: 'NotRequired', message: 'The endpoint has no credentials.' };
  const states = ready.flatMap(({ report }) =>
    report.credentials.filter(({ secret, key }) => secret === ref.name && key === ref.key),
  );
  if (states.length === 0) {
    const message = findings.used ? 'No proxy has said yet.' : 'No route uses this endpoint, so no proxy reads its key.';
    return { status: 'Unknown', reason: 'NoReport', message };
  }
  for (const state of ['Missing', 'Refused', 'QuotaExhausted'] as const) {
    const affected = states.filter((one) => one.state === state);
    if (affected.length === 0) continue;
    const detail = affected.find(({ message }) => message !== undefined)?.message;
    const message = `${affected.length} of ${states.length} proxies: ${describeCredential(state, ref)}${detail ? ` (${detail})` : ''}`;
    return { status: 'False', reason: STATE_TO_REASON[state], message };
  }
  return {
    status: 'True',
    reason: 'CredentialsResolved',
    message: `Every proxy has read the key "${ref.key}" of Secret "${ref.name}".`,
  };
}

function describeCredential(state: keyof typeof STATE_TO_REASON, ref: { name: string; key: string }): string {
  switch (state) {
    case 'Missing':
      return `there is no key "${ref.key}" in a Secret "${ref.name}" of this namespace: create it`;
    case 'Refused':
      return `the provider refuses the key "${ref.key}" of Secret "${ref.name}": put a valid one into the Secret`;
    case 'QuotaExhausted':
      return `the account of the key "${ref.key}" of Secret "${ref.name}" has no quota or credit left: raise it at the provider`;
  }
}

function healthy(findings: EndpointFindings, regions: readonly Verdict[], reported: boolean): Finding<'Healthy'> {
  if (!findings.used) {
    return { status: 'Unknown', reason: 'NoReport', message: 'No route uses this endpoint, so no proxy reports on it.' };
  }
  if (!reported) {
    return { status: 'Unknown', reason: 'NoReport', message: 'No proxy reports; what was last known may be old.' };
  }
  const verdicts = regions.map(({ health }) => health);
  if (verdicts.some((verdict) => verdict !== 'Unknown' && verdict !== 'Down')) {
    return { status: 'True', reason: 'Healthy', message: 'Some region can answer.' };
  }
  if (verdicts.includes('Down') && !verdicts.includes('Unknown')) {
    return { status: 'False', reason: 'AllTargetsDown', message: 'Every region is down.' };
  }
  return { status: 'Unknown', reason: 'NoSignal', message: 'Neither traffic nor a probe has told yet.' };
}
