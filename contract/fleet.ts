import { z } from 'zod';
import { HEALTH, HEALTH_REASONS, PROBE_OUTCOMES, ROUTE_REASONS } from '../crds/health.ts';
import { runtimeConfig } from './runtime-config.ts';

export type { Health, HealthReason, RouteReason } from '../crds/health.ts';

/**
 * What operator and proxies say to each other, over TLS, each request with the proxy's ServiceAccount token as bearer.
 *
 * - `GET /fleet/v1/config`: a stream of one JSON message a line (`ConfigMessage`): the config at once, then at every change, pings between.
 * - `POST /fleet/v1/report`: a `ProxyReport`, answered with a `ReportAnswer`. Sent at once on news, else every `REPORT_INTERVAL_MS`.
 *
 * It is the token that says which namespace a proxy is of. Both requests may name it as `?namespace=…`, and are refused (403) where the token
 * is of another, so that a mix-up shows instead of giving the wrong config. Refusals carry `{"message": …}`.
 *
 * Times are ISO 8601 strings, durations whole milliseconds.
 */
export const FLEET_PATHS = { config: '/fleet/v1/config', report: '/fleet/v1/report' } as const;

/** Audience of the projected ServiceAccount token that a proxy shows. */
export const FLEET_AUDIENCE = 'understudy';

/** A proxy that has said nothing for three intervals and a grace is gone: a short pause of either side must not look like a death. */
export const REPORT_INTERVAL_MS = 5_000;
export const PROXY_GONE_AFTER_MS = 17_000;
/** Pings let a proxy tell a quiet stream from a dead one. */
export const CONFIG_PING_INTERVAL_MS = 5_000;
/** Largest message of either side. A config is bounded by its ConfigMap, a report by the targets of one namespace. */
export const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;
/** Failovers that a proxy keeps for an operator that is away; older ones are counted, not kept. */
export const MAX_KEPT_FAILOVERS = 64;

const instant = z.iso.datetime();

export const probeResult = z.strictObject({
  time: instant,
  outcome: z.enum(PROBE_OUTCOMES),
  latency: z.int().min(0).optional(),
  message: z.string().max(1024).optional(),
});
export type ProbeResult = z.output<typeof probeResult>;

/** What one proxy knows of one target. Counts run since the proxy started. */
export const targetReport = z.strictObject({
  id: z.string(),
  endpoint: z.string(),
  region: z.string(),
  model: z.string(),
  health: z.enum(HEALTH),
  reason: z.enum(HEALTH_REASONS),
  since: instant,
  /** The numbers behind the verdict, in words: "7 of 20 requests failed in 4s, last: 503 server_is_overloaded". */
  evidence: z.string().max(1024).optional(),
  attempts: z.int().min(0),
  failures: z.int().min(0),
  /** The last minute in which there was traffic. */
  recent: z.strictObject({ attempts: z.int().min(0), failures: z.int().min(0) }),
  firstToken: z.strictObject({ p50: z.number(), p95: z.number() }).optional(),
  /** When an attempt of traffic or a probe last succeeded, and last ended in any way. */
  lastSuccess: instant.optional(),
  lastSignal: instant.optional(),
  probe: probeResult.optional(),
});
export type TargetReport = z.output<typeof targetReport>;

/** What one proxy does with one route now. */
export const routeReport = z.strictObject({
  name: z.string(),
  generation: z.int(),
  active: z.string().optional(),
  reason: z.enum(ROUTE_REASONS),
  since: instant,
  /** Percent of new requests that each target is offered first, in chain order. */
  shares: z.array(z.strictObject({ target: z.string(), share: z.int().min(0).max(100) })),
  failovers: z.int().min(0),
});
export type RouteReport = z.output<typeof routeReport>;

/** Traffic moved away from a target, or (`returned`) came back to it. */
export const failoverRecord = z.strictObject({
  /** Unique in its proxy, so that a record that is sent twice is taken once. */
  id: z.string(),
  route: z.string(),
  time: instant,
  from: z.string(),
  to: z.string(),
  reason: z.enum(HEALTH_REASONS),
  evidence: z.string().max(1024),
  detectedIn: z.int().min(0).optional(),
  returned: instant.optional(),
});
export type FailoverRecord = z.output<typeof failoverRecord>;

export const credentialReport = z.strictObject({
  secret: z.string(),
  key: z.string(),
  state: z.enum(['Resolved', 'Missing', 'Refused', 'QuotaExhausted']),
  message: z.string().max(1024).optional(),
});
export type CredentialReport = z.output<typeof credentialReport>;

export const proxyReport = z.strictObject({
  /** Pod name; the operator checks it against the token where the token says one. */
  proxy: z.string().min(1).max(253),
  /** New at every start of the process, so that counters that begin at 0 again are not taken for a step back. */
  instance: z.string().min(1).max(64),
  version: z.string(),
  ready: z.boolean(),
  /** Revision that is served now. Absent before the first config. */
  revision: z.string().optional(),
  refused: z.strictObject({ revision: z.string(), message: z.string().max(4096) }).optional(),
  targets: z.array(targetReport),
  routes: z.array(routeReport),
  credentials: z.array(credentialReport),
  failovers: z.array(failoverRecord).max(MAX_KEPT_FAILOVERS),
});
export type ProxyReport = z.output<typeof proxyReport>;

/** What the fleet knows together of one target. */
export const targetView = z.strictObject({
  id: z.string(),
  health: z.enum(HEALTH),
  reason: z.enum(HEALTH_REASONS),
  since: instant,
  evidence: z.string().max(1024).optional(),
  lastSuccess: instant.optional(),
  lastSignal: instant.optional(),
  probe: probeResult.optional(),
});
export type TargetView = z.output<typeof targetView>;

export const fleetView = z.strictObject({ time: instant, proxies: z.int().min(0), targets: z.array(targetView) });
export type FleetView = z.output<typeof fleetView>;

export const reportAnswer = z.strictObject({
  /** What the other proxies of the namespace know: the asking one is left out, so that nobody hears its own echo. */
  view: fleetView,
  /** Failovers that the operator has taken: the proxy forgets them. */
  acknowledged: z.array(z.string()),
});
export type ReportAnswer = z.output<typeof reportAnswer>;

export const configMessage = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('config'), config: runtimeConfig }),
  z.strictObject({ type: z.literal('ping') }),
]);
export type ConfigMessage = z.output<typeof configMessage>;
