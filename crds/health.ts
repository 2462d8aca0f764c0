import { z } from 'zod';

/** What signals mean about a target. `Unknown` until enough was seen: never shown as `Healthy`. */
export const HEALTH = ['Unknown', 'Healthy', 'Degraded', 'Down', 'Recovering'] as const;
export const health = () => z.enum(HEALTH);
export type Health = (typeof HEALTH)[number];

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

export const PROBE_OUTCOMES = ['Succeeded', 'Failed', 'Skipped'] as const;
export type ProbeOutcome = (typeof PROBE_OUTCOMES)[number];
