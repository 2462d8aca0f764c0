import type { HealthReason } from '../../contract/fleet.ts';
import { CUSUM_THRESHOLD, cusum } from './cusum.ts';

/** Four in a row: a total outage is found in four attempts, and 2 % of bad luck does it once in 6 million. */
export const CONSECUTIVE_FAILURES = 4;
/** How long a target that went down is left alone before it is tried: doubled at each relapse, and capped so that it is found within 15 s. */
export const FIRST_HOLD = 1_000;
export const LONGEST_HOLD = 8_000;
/** A target that stayed healthy for this long starts with the first hold again. */
export const HOLD_FORGOTTEN_AFTER = 60_000;
/** Percent of the traffic that a recovering target is given, a step at each success that comes this long after the last step. */
export const RECOVERY_SHARES = [5, 10, 25, 50] as const;
export const RECOVERY_STEP_INTERVAL = 500;
/** A rate limit that names no time, and the longest that one is believed. */
export const DEFAULT_RATE_LIMIT_COOLDOWN = 5_000;
export const LONGEST_RATE_LIMIT_COOLDOWN = 60_000;
/** A refused key, an empty account, a missing model: nothing heals by asking often. A new key ends it at once. */
export const ACCOUNT_COOLDOWN = 300_000;

export type DownReason = Extract<HealthReason, 'ConsecutiveFailures' | 'ErrorRate' | 'ReportedByFleet'>;
export type CooldownReason = Extract<
  HealthReason,
  'RateLimited' | 'CredentialsMissing' | 'CredentialsRefused' | 'QuotaExhausted' | 'ModelNotFound'
>;

/** What is thought of a target. Times are milliseconds of the clock that is passed in. */
export type Verdict =
  | { health: 'Unknown' }
  | { health: 'Healthy' }
  | { health: 'Down'; reason: DownReason; holdUntil: number }
  | { health: 'Recovering'; step: number; steppedAt: number };

export interface Cooldown {
  reason: CooldownReason;
  since: number;
  until: number;
}

export interface TargetHealth {
  readonly verdict: Verdict;
  /** When the verdict was reached. */
  readonly since: number;
  readonly evidence: string;
  /** Failures since the last success, and when the first of them was seen: the onset of an episode. */
  readonly failuresInARow: number;
  readonly firstFailureAt: number;
  readonly cusum: number;
  /** When it last began to answer again: what was asked before tells of the outage before. */
  readonly cameBackAt: number;
  /** Times that the target went down without a long healthy time between. */
  readonly holds: number;
  readonly cooldown: Cooldown | undefined;
}

/** One thing that was learned of a target. `startedAt` is when the attempt began: news that is older than the verdict does not undo it. */
export type Signal =
  | { kind: 'success'; startedAt: number }
  | { kind: 'failure'; startedAt: number; summary: string }
  | { kind: 'rateLimit'; startedAt: number; retryAfterMs?: number }
  | { kind: 'refusal'; startedAt: number; reason: Exclude<CooldownReason, 'RateLimited'> };

export function newTargetHealth(now: number): TargetHealth {
  return {
    verdict: { health: 'Unknown' },
    since: now,
    evidence: '',
    failuresInARow: 0,
    firstFailureAt: 0,
    cusum: 0,
    cameBackAt: 0,
    holds: 0,
    cooldown: undefined,
  };
}

/** The next state. The very same object when nothing changes, as for most successes. */
export function observe(state: TargetHealth, signal: Signal, now: number): TargetHealth {
  switch (signal.kind) {
    case 'success':
      return onSuccess(state, signal.startedAt, now);
    case 'failure':
      return onFailure(state, signal, now);
    case 'rateLimit': {
      const wait = Math.min(signal.retryAfterMs ?? DEFAULT_RATE_LIMIT_COOLDOWN, LONGEST_RATE_LIMIT_COOLDOWN);
      return { ...state, cooldown: { reason: 'RateLimited', since: now, until: now + wait } };
    }
    case 'refusal':
      return { ...state, cooldown: { reason: signal.reason, since: now, until: now + ACCOUNT_COOLDOWN } };
  }
}

function onSuccess(state: TargetHealth, startedAt: number, now: number): TargetHealth {
  const { verdict } = state;
  const cooldown = afterSuccess(state.cooldown, startedAt);
  switch (verdict.health) {
    case 'Unknown':
      return {
        ...state,
        verdict: { health: 'Healthy' },
        since: now,
        evidence: '',
        failuresInARow: 0,
        cusum: cusum(state.cusum, false),
        cooldown,
      };
    case 'Healthy': {
      const sum = cusum(state.cusum, false);
      if (sum === state.cusum && state.failuresInARow === 0 && cooldown === state.cooldown) return state;
      return { ...state, failuresInARow: 0, cusum: sum, cooldown };
    }
    case 'Down':
      if (startedAt < state.since) return state;
      return {
        ...state,
        verdict: { health: 'Recovering', step: 0, steppedAt: now },
        since: now,
        cameBackAt: now,
        failuresInARow: 0,
        cooldown,
      };
    case 'Recovering': {
      if (startedAt < state.since) return state;
      if (now - verdict.steppedAt < RECOVERY_STEP_INTERVAL)
        return state.failuresInARow === 0 ? state : { ...state, failuresInARow: 0 };
      const step = verdict.step + 1;
      if (step < RECOVERY_SHARES.length)
        return { ...state, verdict: { health: 'Recovering', step, steppedAt: now }, failuresInARow: 0 };
      return { ...state, verdict: { health: 'Healthy' }, since: now, evidence: '', failuresInARow: 0, cusum: 0, cooldown };
    }
  }
}

/** An answer that was asked for later shows that the account works. Of a rate limit it shows nothing: one request may pass where many do not. */
function afterSuccess(cooldown: Cooldown | undefined, startedAt: number): Cooldown | undefined {
  return cooldown === undefined || cooldown.reason === 'RateLimited' || startedAt < cooldown.since ? cooldown : undefined;
}

function onFailure(state: TargetHealth, signal: { startedAt: number; summary: string }, now: number): TargetHealth {
  const { verdict } = state;
  switch (verdict.health) {
    case 'Unknown':
    case 'Healthy': {
      if (signal.startedAt < state.cameBackAt) return state;
      const failuresInARow = state.failuresInARow + 1;
      const firstFailureAt = state.failuresInARow === 0 && state.cusum === 0 ? now : state.firstFailureAt;
      const sum = cusum(state.cusum, true);
      const seen = { ...state, failuresInARow, firstFailureAt, cusum: sum };
      if (failuresInARow >= CONSECUTIVE_FAILURES)
        return goDown(seen, 'ConsecutiveFailures', `${failuresInARow} failures in a row, last: ${signal.summary}`, now);
      if (sum >= CUSUM_THRESHOLD)
        return goDown(
          seen,
          'ErrorRate',
          `more failures than 2 % explain (CUSUM ${sum.toFixed(1)}), last: ${signal.summary}`,
          now,
        );
      return seen;
    }
    case 'Down':
      // A trial that failed, or a request that was tried all the same since nothing better was there.
      if (signal.startedAt < verdict.holdUntil) return state;
      return { ...state, verdict: { ...verdict, holdUntil: now + holdFor(state.holds + 1) }, holds: state.holds + 1 };
    case 'Recovering':
      if (signal.startedAt < state.since) return state;
      return goDown(
        { ...state, firstFailureAt: now },
        'ConsecutiveFailures',
        `failed while it recovered: ${signal.summary}`,
        now,
      );
  }
}

export function goDown(state: TargetHealth, reason: DownReason, evidence: string, now: number): TargetHealth {
  const calm = state.verdict.health === 'Healthy' && now - state.since > HOLD_FORGOTTEN_AFTER;
  const holds = calm ? 0 : state.holds;
  return {
    ...state,
    verdict: { health: 'Down', reason, holdUntil: now + holdFor(holds) },
    since: now,
    evidence,
    cusum: 0,
    holds: holds + 1,
  };
}

function holdFor(holds: number): number {
  return Math.min(FIRST_HOLD * 2 ** Math.min(holds, 10), LONGEST_HOLD);
}

/** Whether a target may be offered a request now. A `trial` is one request at a time; `share` is a percentage of the requests. */
export type Admission =
  | { kind: 'open' }
  | { kind: 'share'; percent: number }
  | { kind: 'trial'; since: number }
  | { kind: 'shut' };

const OPEN: Admission = { kind: 'open' };
const SHUT: Admission = { kind: 'shut' };

export function admission(state: TargetHealth, now: number): Admission {
  if (state.cooldown !== undefined && now < state.cooldown.until) return SHUT;
  switch (state.verdict.health) {
    case 'Unknown':
    case 'Healthy':
      return OPEN;
    case 'Down':
      return now < state.verdict.holdUntil ? SHUT : { kind: 'trial', since: state.verdict.holdUntil };
    case 'Recovering':
      return { kind: 'share', percent: RECOVERY_SHARES[state.verdict.step] ?? 50 };
  }
}
