import { z } from 'zod';
import { condition } from './conditions.ts';
import { duration, durationOfAtLeast } from './duration.ts';
import { health, healthReason, PROBE_OUTCOMES } from './health.ts';
import { API_VERSION, label, modelName, objectName } from './names.ts';
import { objectMeta } from './object-meta.ts';
import { matching, matchRule, rules } from './structural.ts';

export const PROVIDERS = ['OpenAI', 'OpenAICompatible'] as const;

/** Limits keep a tenant's resource, and the cost of the rules on it, bounded. */
const MAX_REGIONS = 32;
const MAX_MODELS = 128;

/**
 * A scheme that a proxy speaks and a host it can connect to. Credentials are let through here: another rule has its own message for them.
 * So has what follows the host.
 */
const BASE_URL_PATTERN = /^[hH][tT][tT][pP][sS]?:\/\/([^/?#@]*@)?([a-zA-Z0-9._-]+|\[[0-9a-fA-F:.]+\])(:[0-9]{1,5})?([/?#].*)?$/;

const secretRef = z
  .strictObject({
    name: objectName().meta({
      description: 'Name of a Secret in the namespace of this endpoint.',
      'x-understudy-required': 'name the Secret that holds the provider key, for example name: openai',
    }),
    key: matching(z.string().max(253), /^[-._a-zA-Z0-9]+$/, 'a key of a Secret has letters, digits, "-", "_" and "." only').meta({
      description: 'Key in the data of that Secret whose value is the provider key, for example `apiKey`.',
      'x-understudy-required': 'name the key of the Secret that holds the provider key, for example key: apiKey',
    }),
  })
  .meta({
    description: 'The Secret that holds the provider key. Only the proxies of this namespace read it; the operator can not.',
    'x-understudy-required': 'name a Secret and its key: secretRef: {name: …, key: …}',
  });

const region = z.strictObject({
  name: label().meta({ description: 'Name of the region, unique in this endpoint, for example `us-east`.' }),
  baseURL: z
    .string()
    .max(512)
    // What no rule can tell, such as port 99999: the operator then says so in a condition, before a proxy would fail on it.
    .refine((text) => URL.canParse(text), 'baseURL is not a URL that can be called: look at its host and port')
    .meta({
      description:
        'Where the API of this region begins, with its version segment and without a trailing slash: `https://api.openai.com/v1`.',
      ...rules(
        matchRule(
          BASE_URL_PATTERN,
          'baseURL must begin with http:// or https:// and name a host, for example https://api.openai.com/v1',
        ),
        {
          rule: "!self.matches('^[^:]*://[^/?#]*@')",
          message: 'baseURL must not carry credentials: put the key into a Secret and name it in spec.credentials.secretRef',
        },
        {
          rule: "self.matches('^[!-~]*$') && !self.matches('[?#]')",
          message: 'baseURL must not have a query, a fragment, white space or characters that are not ASCII',
        },
      ),
    }),
});

const model = z.strictObject({
  name: modelName().meta({ description: 'Model name as the provider writes it, for example `gpt-4o`.' }),
});

const probe = z
  .strictObject({
    interval: durationOfAtLeast('1s', 'probe.interval must be 1s or longer: each probe is a real, billed completion')
      .default('30s')
      .meta({
        description: 'How often each region is asked for a tiny completion when no traffic tells the same. At least `1s`.',
      }),
    timeout: duration().default('10s').meta({ description: 'How long one probe may take before it counts as failed.' }),
    model: modelName().optional().meta({
      description:
        'Model that is probed. Default: the first of `spec.models`, else the first model that a route of this namespace asks of this endpoint.',
    }),
  })
  .meta({
    description:
      'Active probes: a real, tiny completion per region. Left out: no probes, and a target that went down is tried again with one request at a time.',
  });

export const providerEndpointSpec = z
  .strictObject({
    provider: z.enum(PROVIDERS).meta({
      description: 'Whose API this is: `OpenAI`, or `OpenAICompatible` for any server that speaks the same (vLLM, Ollama, …).',
    }),
    failureDomain: label().optional().meta({
      description:
        'What fails together: endpoints of one failure domain are expected to fail at once. Default: the provider for `OpenAI`, the name of the endpoint for `OpenAICompatible`.',
    }),
    credentials: z
      .strictObject({ secretRef })
      .optional()
      .meta({ description: 'The provider key. An `OpenAICompatible` endpoint may have none.' }),
    regions: z
      .array(region)
      .max(MAX_REGIONS)
      .meta({
        description: 'Regions of this provider account, at least one. Their order is the order of preference.',
        'x-understudy-required': 'name at least one region: {name: …, baseURL: https://…}',
        'x-kubernetes-list-type': 'atomic',
        ...rules(
          { rule: 'self.size() > 0', message: 'name at least one region: {name: …, baseURL: https://…}' },
          {
            rule: 'self.all(a, self.exists_one(b, b.name == a.name))',
            message: 'two regions have one name: give each region of the endpoint its own',
          },
        ),
      }),
    models: z
      .array(model)
      .max(MAX_MODELS)
      .optional()
      .meta({
        description:
          'Models that this account may use. A route that asks for another is accepted with a warning. Left out: not checked.',
        'x-kubernetes-list-type': 'atomic',
        ...rules({
          rule: 'self.all(a, self.exists_one(b, b.name == a.name))',
          message: 'two models have one name: list each once',
        }),
      }),
    probe: probe.optional(),
  })
  .meta({
    description: 'One provider account, in one or more regions.',
    ...rules({
      rule: "self.provider != 'OpenAI' || has(self.credentials)",
      message:
        'provider OpenAI needs spec.credentials.secretRef {name, key}; an endpoint without credentials is provider OpenAICompatible',
    }),
  });

const probeStatus = z.strictObject({
  time: z.iso.datetime().optional().meta({ description: 'When the last probe ended.' }),
  outcome: z.enum(PROBE_OUTCOMES).meta({ description: '`Skipped`: traffic, or another replica, had told the same.' }),
  latency: z.string().optional().meta({ description: 'How long it took, for example `412ms`.' }),
  message: z.string().max(1024).optional().meta({ description: 'Why it failed.' }),
});

const modelStatus = z.strictObject({
  name: z.string().meta({ description: 'Model name as the provider writes it.' }),
  health: health().meta({ description: 'Verdict on this model in this region.' }),
  reason: healthReason().meta({ description: 'Why it has this verdict.' }),
  since: z.iso.datetime().optional().meta({ description: 'Since when it has.' }),
  message: z.string().max(1024).optional().meta({ description: 'The numbers behind the verdict.' }),
  errorRate: z
    .string()
    .optional()
    .meta({ description: 'Failed of all attempts over the last minute in which there were any, for example `0.2%`.' }),
  firstTokenP50: z
    .string()
    .optional()
    .meta({ description: 'Median time to the first content over the last minutes, for example `640ms`.' }),
  firstTokenP95: z
    .string()
    .optional()
    .meta({ description: '95th percentile of the time to the first content, for example `1.9s`.' }),
  requests: z
    .int()
    .min(0)
    .optional()
    .meta({ description: 'Attempts at this target since its proxies started.', format: 'int64' }),
});

const regionStatus = z
  .strictObject({
    name: z.string().meta({ description: 'Name of the region.' }),
    health: health().meta({ description: 'The worst verdict of the models of this region.' }),
    reason: healthReason().meta({ description: 'Why it has this verdict.' }),
    since: z.iso.datetime().optional().meta({ description: 'Since when it has.' }),
    probe: probeStatus.optional().meta({ description: 'The last probe of this region.' }),
    models: z
      .array(modelStatus)
      .optional()
      .meta({
        description: 'Every model that was asked of this region.',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['name'],
      }),
  })
  .meta({ description: 'One region.' });

export const providerEndpointStatus = z
  .strictObject({
    observedGeneration: z
      .int()
      .optional()
      .meta({ description: 'Generation of the spec that this status is about.', format: 'int64' }),
    conditions: z
      .array(condition)
      .optional()
      .meta({
        description: '`Accepted`, `CredentialsResolved`, `Healthy`.',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['type'],
      }),
    health: health().optional().meta({ description: 'The best verdict of the regions: what this endpoint can still do.' }),
    reason: healthReason().optional().meta({ description: 'Why it has this verdict.' }),
    since: z.iso.datetime().optional().meta({ description: 'Since when it has.' }),
    regions: z
      .array(regionStatus)
      .optional()
      .meta({
        description: 'Every region, in the order of the spec.',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['name'],
      }),
  })
  .meta({ description: 'What is known of the endpoint now. Written by the operator.' });

export const providerEndpoint = z
  .strictObject({
    apiVersion: z.literal(API_VERSION),
    kind: z.literal('ProviderEndpoint'),
    metadata: objectMeta,
    spec: providerEndpointSpec,
    status: providerEndpointStatus.optional(),
  })
  .meta({
    description:
      'One account at a provider of models, in one or more regions: where it is, which key opens it, and how it is probed.',
  });

export type ProviderEndpoint = z.output<typeof providerEndpoint>;
export type ProviderEndpointSpec = z.output<typeof providerEndpointSpec>;
export type ProviderEndpointStatus = z.output<typeof providerEndpointStatus>;
