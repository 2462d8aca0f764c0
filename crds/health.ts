import { z } from 'zod';

/** What signals mean about a target. `Unknown` until enough was seen: never shown as `Healthy`. */
export const HEALTH = ['Unknown', 'Healthy', 'Degraded', 'Down', 'Recovering'] as const;
export const health = () => z.enum(HEALTH);
export type Health = (typeof HEALTH)[number];

export const HEALTH_MEANINGS: Record<Health, string> = {
  Unknown: 'Neither traffic nor a probe has told yet.',
  Healthy: 'It answers.',
  Degraded: 'It answers, but worse than it should.',
  Down: 'It does not answer, or is not asked for now.',
  Recovering: 'It was down, and is being tried again, a little at a time.',
};

/**
 * Why a target has its verdict, in one word for a printer column.
 * `RateLimited`, `CredentialsRefused`, `QuotaExhausted` and `ModelNotFound` are cooldowns: they say that the target is not asked for now,
 * not that it is broken.
 */
export const HEALTH_REASONS = [
  'NoSignal',
  'WithinBaseline',
  'ConsecutiveFailures',
  'ErrorRate',
  'ReportedByFleet',
  'TrialSucceeded',
  'RateLimited',
  'CredentialsMissing',
  'CredentialsRefused',
  'QuotaExhausted',
  'ModelNotFound',
] as const;
export const healthReason = () => z.enum(HEALTH_REASONS);
export type HealthReason = (typeof HEALTH_REASONS)[number];

export const HEALTH_REASON_MEANINGS: Record<HealthReason, string> = {
  NoSignal: 'Nothing was seen of it yet.',
  WithinBaseline: 'It does what is expected of it.',
  ConsecutiveFailures: 'Attempt after attempt failed.',
  ErrorRate: 'Too many of its attempts failed.',
  ReportedByFleet: 'Another proxy of the namespace has seen it fail.',
  TrialSucceeded: 'An attempt after its outage succeeded.',
  RateLimited: 'The provider asked for a pause (429).',
  CredentialsMissing: 'No proxy has its key.',
  CredentialsRefused: 'The provider refuses its key (401, 403).',
  QuotaExhausted: 'The account has no quota or credit left.',
  ModelNotFound: 'The provider does not have this model.',
};

/** Why a route's active target is the active one. */
export const ROUTE_REASONS = [
  'NoTraffic',
  'PrimaryHealthy',
  'PrimaryDown',
  'PrimaryCoolingDown',
  'Recovering',
  'Panic',
  'NoTarget',
  'NoProxy',
] as const;
export type RouteReason = (typeof ROUTE_REASONS)[number];

export const ROUTE_REASON_MEANINGS: Record<RouteReason, string> = {
  NoTraffic: 'No request was seen yet.',
  PrimaryHealthy: 'The first step of the chain answers.',
  PrimaryDown: 'The first step of the chain is down.',
  PrimaryCoolingDown: 'The first step of the chain is rate limited, or its credentials or quota are refused.',
  Recovering: 'The first step of the chain is being tried again, a little at a time.',
  Panic: 'No target looks able to answer, so all are tried in chain order.',
  NoTarget: 'No entry of the chain can be used.',
  NoProxy: 'No proxy of the namespace reports.',
};

export const PROBE_OUTCOMES = ['Succeeded', 'Failed', 'Skipped'] as const;
