import { z } from 'zod';

export { parseDuration } from '../crds/duration.ts';
export { targetId } from '../crds/names.ts';

/**
 * What a proxy serves by: one namespace's routes and endpoints, compiled. No key is in it, only where a key is read.
 * Durations are whole milliseconds. Both sides validate: the operator what it sends, a proxy what it takes.
 */
export const RUNTIME_CONFIG_VERSION = 1;

/** Where a proxy reads a provider key: `<credentials directory>/<secret>/<key>`, or the Secret of that name when it runs without a cluster. */
export const credentialRef = z.strictObject({ secret: z.string(), key: z.string() });
export type CredentialRef = z.output<typeof credentialRef>;

export const runtimeRegion = z.strictObject({ name: z.string(), baseURL: z.url() });

export const runtimeEndpoint = z.strictObject({
  name: z.string(),
  provider: z.enum(['OpenAI', 'OpenAICompatible']),
  failureDomain: z.string(),
  credential: credentialRef.optional(),
  regions: z.array(runtimeRegion).min(1),
  probe: z.strictObject({ interval: z.int().min(1_000), timeout: z.int().min(1), model: z.string() }).optional(),
});
export type RuntimeEndpoint = z.output<typeof runtimeEndpoint>;

export const runtimeTarget = z.strictObject({
  /** `endpoint/region/model`, unique in its route. */
  id: z.string(),
  endpoint: z.string(),
  region: z.string(),
  model: z.string(),
  /** Step of the chain, from 0. Targets of one step share its traffic: by weight over the entries, in order over the regions of one entry. */
  step: z.int().min(0),
  /** Entry of the chain, from 0. */
  entry: z.int().min(0),
  weight: z.int().min(1),
});
export type RuntimeTarget = z.output<typeof runtimeTarget>;

export const runtimeRoute = z.strictObject({
  name: z.string(),
  /** Generation of the ModelRoute that this was compiled from. */
  generation: z.int().min(0),
  models: z.array(z.string()).min(1),
  targets: z.array(runtimeTarget).min(1),
  timeouts: z.strictObject({
    connect: z.int().min(1),
    firstContent: z.int().min(1),
    response: z.int().min(1).optional(),
    idle: z.int().min(1),
    total: z.int().min(1),
  }),
  retries: z.strictObject({
    maxAttempts: z.int().min(1),
    sameTarget: z.int().min(0),
    budgetPercent: z.int().min(0).max(100),
    waitUpTo: z.int().min(0),
  }),
  streaming: z.strictObject({ commit: z.enum(['FirstContent', 'Complete']), afterCommit: z.enum(['Error']) }),
});
export type RuntimeRoute = z.output<typeof runtimeRoute>;

export const runtimeConfig = z.strictObject({
  version: z.literal(RUNTIME_CONFIG_VERSION),
  namespace: z.string(),
  /** Hash of the content without this field: equal content has equal revisions. */
  revision: z.string().min(1),
  endpoints: z.array(runtimeEndpoint),
  routes: z.array(runtimeRoute),
});
export type RuntimeConfig = z.output<typeof runtimeConfig>;
