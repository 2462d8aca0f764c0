import { z } from 'zod';
import { condition } from './conditions.ts';
import { duration, durationOrNone, ifDurations, notLonger } from './duration.ts';
import { health, healthReason, ROUTE_REASONS } from './health.ts';
import { API_VERSION, label, modelName, objectName } from './names.ts';
import { objectMeta } from './object-meta.ts';
import { type Rule, rules } from './structural.ts';

const MAX_MODELS = 32;
const MAX_CHAIN = 16;

const chainEntry = z.strictObject({
  endpoint: objectName().meta({ description: 'Name of a ProviderEndpoint in the namespace of this route.' }),
  model: modelName().meta({ description: 'Model to ask of it, as its provider writes it.' }),
  region: label().optional().meta({ description: 'One region of that endpoint. Left out: all its regions, in their order.' }),
  weight: z.int().min(1).max(100).optional().meta({
    description:
      'Neighbouring entries that carry a weight form one step of the chain and share its traffic in that proportion; the next step is used when none of them can answer.',
  }),
});

const CONNECT_TOO_LONG = 'timeouts.connect must not be longer than timeouts.firstContent (default 10s)';
const FIRST_CONTENT_TOO_LONG = 'timeouts.firstContent must not be longer than timeouts.total (default 120s)';
const IDLE_TOO_LONG = 'timeouts.idle must not be longer than timeouts.total (default 120s)';

/** Who writes only `total: 5s` contradicts nothing: a timeout that was left at its default is capped by those that were not. */
function unlessDefault(field: string, value: string, rule: Rule): Rule {
  return { ...rule, rule: `self.${field} == '${value}' || ${rule.rule}` };
}

const timeouts = z
  .strictObject({
    connect: duration().default('2s').meta({ description: 'Longest wait for a connection to one target, TLS included.' }),
    firstContent: duration().default('10s').meta({
      description:
        'Longest wait for the first content of a stream. Headers, pings and role-only chunks do not count: a provider that sends only those is stalled.',
    }),
    response: duration().optional().meta({
      description:
        'Longest wait for a whole unary answer of one target. Default: while other targets remain, half of what is left of `total`; else all of it.',
    }),
    idle: duration().default('15s').meta({ description: 'Longest silence after the first content.' }),
    total: duration().default('120s').meta({
      description:
        'Deadline of the whole request up to its first content, over all attempts, and of a unary answer as a whole. A stream that has begun is bounded by `idle`.',
    }),
  })
  .prefault({})
  .meta({
    description:
      'How long a request may wait, and for what. A timeout that is left at its default is capped by the longer ones that are not.',
    ...rules(
      unlessDefault('connect', '2s', notLonger('connect', 'firstContent', CONNECT_TOO_LONG)),
      unlessDefault('firstContent', '10s', notLonger('firstContent', 'total', FIRST_CONTENT_TOO_LONG)),
      unlessDefault('idle', '15s', notLonger('idle', 'total', IDLE_TOO_LONG)),
      {
        rule: `!has(self.response) || ${ifDurations(['self.response', 'self.total'], 'duration(self.response) <= duration(self.total)')}`,
        message: 'timeouts.response must not be longer than timeouts.total (default 120s)',
      },
    ),
  });

const retries = z
  .strictObject({
    maxAttempts: z
      .int()
      .min(1)
      .max(10)
      .default(4)
      .meta({ description: 'Most attempts for one request, over all targets: retries and fallback hops together.' }),
    sameTarget: z.int().min(0).max(3).default(1).meta({
      description:
        'Quick retries on the same target for a single 5xx or reset. Silence, 4xx and an open breaker are never retried on the same target.',
    }),
    budgetPercent: z.int().min(0).max(100).default(20).meta({
      description:
        'Retries on the same target, in percent of the requests of the last ten seconds, so that retries do not add to an overload. Three are always allowed.',
    }),
    waitUpTo: durationOrNone().default('0s').meta({
      description: 'Longest wait for a `Retry-After` of the same target. `0s`: a rate limit moves on to the next target at once.',
    }),
  })
  .prefault({})
  .meta({ description: 'What one request may cost.' });

const streaming = z
  .strictObject({
    commit: z.enum(['FirstContent', 'Complete']).default('FirstContent').meta({
      description:
        'When a stream is given to the client: at its first content, or (`Complete`) as a whole, so that any failure can still be answered by the next target.',
    }),
    afterCommit: z.enum(['Error']).default('Error').meta({
      description:
        'What follows a failure after the first content went out. `Error`: an error event and no `[DONE]`, so that no SDK takes the answer for a whole one.',
    }),
  })
  .prefault({})
  .meta({ description: 'How streams are handled.' });

export const modelRouteSpec = z
  .strictObject({
    models: z
      .array(modelName().meta({ description: 'A model name, for example `gpt-4o`.' }))
      .max(MAX_MODELS)
      .meta({
        description:
          'Model names that applications ask for. When two routes of a namespace claim one name, the older route keeps it.',
        'x-understudy-required': 'name at least one model that applications ask for, for example models: [gpt-4o]',
        'x-kubernetes-list-type': 'atomic',
        ...rules(
          { rule: 'self.size() > 0', message: 'name at least one model that applications ask for, for example models: [gpt-4o]' },
          { rule: 'self.all(a, self.exists_one(b, b == a))', message: 'a model name is listed twice: list each once' },
        ),
      }),
    chain: z
      .array(chainEntry)
      .max(MAX_CHAIN)
      .meta({
        description: 'The fallback chain, most preferred first.',
        'x-understudy-required': 'name at least one target in spec.chain: {endpoint: …, model: …}',
        'x-kubernetes-list-type': 'atomic',
        ...rules(
          { rule: 'self.size() > 0', message: 'name at least one target in spec.chain: {endpoint: …, model: …}' },
          {
            rule: "self.all(a, self.exists_one(b, b.endpoint == a.endpoint && b.model == a.model && (has(b.region) ? b.region : '') == (has(a.region) ? a.region : '')))",
            message: 'two entries of the chain have the same endpoint, model and region: remove one',
          },
        ),
      }),
    timeouts,
    retries,
    streaming,
  })
  .meta({
    description: 'A fallback chain, and the model names that it answers to.',
    ...rules(
      notLonger(
        'retries.waitUpTo',
        'timeouts.total',
        'retries.waitUpTo must not be longer than timeouts.total (default 120s): nobody would be there for the answer',
      ),
    ),
  });

const targetStatus = z
  .strictObject({
    target: z.string().meta({ description: '`endpoint/region/model`.' }),
    position: z.int().min(0).meta({ description: 'Step of the chain, from 0.' }),
    health: health().meta({ description: 'Verdict on the target.' }),
    reason: healthReason().meta({ description: 'Why it has this verdict.' }),
    since: z.iso.datetime().optional().meta({ description: 'Since when it has.' }),
    share: z.int().min(0).max(100).meta({ description: 'Percent of the traffic that the target is given now.' }),
  })
  .meta({ description: 'One target of the chain.' });

const lastFailover = z.strictObject({
  time: z.iso.datetime().meta({ description: 'When traffic moved.' }),
  from: z.string().meta({ description: 'Target that it left.' }),
  to: z.string().meta({ description: 'Target that took it over.' }),
  reason: healthReason().meta({ description: 'Why the target that it left could not go on.' }),
  evidence: z.string().max(1024).meta({ description: 'What was seen, with numbers.' }),
  detectedIn: z
    .string()
    .optional()
    .meta({ description: 'From the first failure of this episode to the verdict, for example `3.1s`.' }),
  lasted: z.string().optional().meta({ description: 'Until traffic came back; absent while it has not.' }),
});

export const modelRouteStatus = z
  .strictObject({
    observedGeneration: z
      .int()
      .optional()
      .meta({ description: 'Generation of the spec that this status is about.', format: 'int64' }),
    conditions: z
      .array(condition)
      .optional()
      .meta({
        description: '`Accepted`, `ResolvedRefs`, `Programmed`, `Healthy`, `FailedOver`.',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['type'],
      }),
    active: z.string().optional().meta({ description: 'Target that answers now: `endpoint/region/model`.' }),
    health: health().optional().meta({ description: 'Verdict on the active target.' }),
    reason: z.enum(ROUTE_REASONS).optional().meta({ description: 'Why this target is the active one.' }),
    since: z.iso.datetime().optional().meta({ description: 'Since when it is.' }),
    targets: z
      .array(targetStatus)
      .optional()
      .meta({
        description: 'Every target of the chain, in its order.',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['target'],
      }),
    lastFailover: lastFailover.optional().meta({ description: 'The last time that traffic moved away from a target.' }),
    failovers: z
      .int()
      .min(0)
      .optional()
      .meta({ description: 'Times that traffic moved away from a target of this route.', format: 'int64' }),
    proxies: z
      .strictObject({
        ready: z.int().min(0).meta({ description: 'Proxies of the namespace that are ready.' }),
        programmed: z.int().min(0).meta({ description: 'Ready proxies that have acknowledged `revision`.' }),
        revision: z.string().meta({ description: 'Revision of the runtime config that this route is part of.' }),
        summary: z.string().meta({ description: 'Programmed of ready, as the printer column shows it: `2/2`.' }),
      })
      .optional()
      .meta({ description: 'The proxies that serve this route.' }),
  })
  .meta({ description: 'What is known of the route now. Written by the operator.' });

export const modelRoute = z
  .strictObject({
    apiVersion: z.literal(API_VERSION),
    kind: z.literal('ModelRoute'),
    metadata: objectMeta,
    spec: modelRouteSpec,
    status: modelRouteStatus.optional(),
  })
  .meta({
    description:
      'A fallback chain of models. Applications ask for one of `spec.models`; the first target of the chain that can answer does, and status says which one that is, why, and since when.',
  });

export type ModelRoute = z.output<typeof modelRoute>;
export type ModelRouteSpec = z.output<typeof modelRouteSpec>;
export type ModelRouteStatus = z.output<typeof modelRouteStatus>;
export type ChainEntry = z.output<typeof chainEntry>;
