import { z } from 'zod';

/** `metav1.Condition`, see https://github.com/kubernetes/community/blob/main/contributors/devel/sig-architecture/api-conventions.md. */
export const condition = z
  .strictObject({
    type: z.string().min(1).max(316).meta({ description: 'Type of the condition, in CamelCase.' }),
    status: z.enum(['True', 'False', 'Unknown']).meta({ description: 'Whether it holds.' }),
    observedGeneration: z
      .int()
      .min(0)
      .optional()
      .meta({ description: 'Generation of the spec that it was seen at.', format: 'int64' }),
    lastTransitionTime: z.iso.datetime().meta({ description: 'When its status last changed.' }),
    reason: z.string().min(1).max(1024).meta({ description: 'Why, in one word.' }),
    message: z.string().max(32_768).meta({ description: 'Why, in words for a reader.' }),
  })
  .meta({ description: 'One condition.' });
export type Condition = z.output<typeof condition>;

/** Every condition type, on which kinds it stands, and every reason that it can have. A reason is good news or it is not: `ok` says which. */
export const CONDITIONS = {
  Accepted: {
    kinds: ['ModelRoute', 'ProviderEndpoint'],
    meaning: 'The spec makes sense and is used. A warning keeps it `True` and is told by the reason.',
    reasons: {
      Accepted: 'The spec is valid.',
      SingleFailureDomain: 'Warning: every target of the chain fails together; one outage takes the route down.',
      ModelNotListed: 'Warning: the chain asks for a model that its endpoint does not list in `spec.models`.',
      ModelNameConflict: 'Some model names belong to an older route, which keeps them; `False` when none is left for this one.',
      Invalid: '`False`: the spec breaks a rule of the API (written before the rule existed).',
      ConfigTooLarge:
        '`False`: the config of the namespace would pass the size limit of a ConfigMap; what served before goes on.',
    },
  },
  ResolvedRefs: {
    kinds: ['ModelRoute'],
    meaning: 'Every endpoint and region that the chain names exists.',
    reasons: {
      ResolvedRefs: 'Everything that the chain names exists.',
      EndpointNotFound: 'An endpoint of the chain does not exist; the other entries of the chain are used.',
      RegionNotFound: 'A region of the chain does not exist in its endpoint; the other entries of the chain are used.',
    },
  },
  Programmed: {
    kinds: ['ModelRoute'],
    meaning: 'Every ready proxy of the namespace has acknowledged the revision that holds this generation.',
    reasons: {
      Programmed: 'Every ready proxy serves this revision.',
      Pending: 'Some ready proxies have not acknowledged this revision yet.',
      Refused: 'A proxy refused this revision and goes on with the last good one.',
      NoProxies: 'No proxy of this namespace is ready.',
      WorkloadFailed:
        'No proxy of this namespace is ready, since the API server refuses what they need; the message says what and why.',
      NotServed: 'The config does not hold this generation: `Accepted` or `ResolvedRefs` says why.',
    },
  },
  CredentialsResolved: {
    kinds: ['ProviderEndpoint'],
    meaning: 'The proxies have a provider key, and the provider takes it.',
    reasons: {
      CredentialsResolved: 'Every proxy has read the key.',
      NotRequired: 'The endpoint has no credentials.',
      SecretMissing: 'The proxies do not find the Secret or its key.',
      Refused: 'The provider refuses the key (401, 403).',
      QuotaExhausted: 'The account has no quota or credit left.',
      NoReport: 'No proxy has said yet: none uses the endpoint, or none is connected.',
    },
  },
  Healthy: {
    kinds: ['ModelRoute', 'ProviderEndpoint'],
    meaning: 'Requests are being answered. `Unknown` until that was seen.',
    reasons: {
      Healthy: 'Some target can answer.',
      AllTargetsDown: 'No target looks able to answer; requests are tried in chain order all the same.',
      NoSignal: 'Neither traffic nor a probe has told yet.',
      NoReport: 'No proxy reports; what was last known may be old.',
    },
  },
  FailedOver: {
    kinds: ['ModelRoute'],
    meaning: 'The active target is not of the first step of the chain.',
    reasons: {
      PrimaryActive: 'The first step of the chain answers.',
      PrimaryDown: 'The first step of the chain is down.',
      PrimaryCoolingDown: 'The first step of the chain is rate limited, or its credentials or quota are refused.',
      Recovering: 'The first step of the chain is being tried again, a little at a time.',
      NoReport: 'No proxy reports.',
    },
  },
} as const;

export type ConditionType = keyof typeof CONDITIONS;
export type ConditionReason<T extends ConditionType> = keyof (typeof CONDITIONS)[T]['reasons'];
