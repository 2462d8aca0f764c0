import type { RuntimeEndpoint } from '../contract/runtime-config.ts';
import { parseDuration } from '../crds/duration.ts';
import type { ProviderEndpoint } from '../crds/provider-endpoint.ts';

/** An endpoint as proxies see it. `askedModel`: the first model that a route of the namespace asks of it. */
export function compileEndpoint(endpoint: ProviderEndpoint, askedModel: string | undefined): RuntimeEndpoint {
  const { provider, credentials, regions, models, probe } = endpoint.spec;
  const probedModel = probe?.model ?? models?.[0]?.name ?? askedModel;
  return {
    name: endpoint.metadata.name,
    provider,
    failureDomain: failureDomain(endpoint),
    ...(credentials ? { credential: { secret: credentials.secretRef.name, key: credentials.secretRef.key } } : {}),
    regions: regions.map(({ name, baseURL }) => ({ name, baseURL })),
    ...(probe && probedModel !== undefined
      ? {
          probe: { interval: parseDuration(probe.interval), timeout: parseDuration(probe.timeout), model: probedModel },
        }
      : {}),
  };
}

/** What fails together with this endpoint. Lower-case, as a failure domain that is written down has to be. */
export function failureDomain({ metadata, spec }: ProviderEndpoint): string {
  if (spec.failureDomain !== undefined) return spec.failureDomain;
  switch (spec.provider) {
    case 'OpenAI':
      return spec.provider.toLowerCase();
    case 'OpenAICompatible':
      return metadata.name;
  }
}
