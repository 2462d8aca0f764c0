import type { ProviderEndpointStatus } from '../../crds/provider-endpoint.ts';
import { conditionsInWords } from '../conditions-in-words.ts';

/** An endpoint's status without its figures: probes, rates, latencies, counts, and the evidence that goes with them. */
export function endpointInWords({ conditions, regions, ...rest }: ProviderEndpointStatus): unknown {
  return {
    ...rest,
    conditions: conditionsInWords(conditions),
    regions: regions?.map(({ probe: _probe, models, ...region }) => ({
      ...region,
      models: models?.map(({ name, health, reason, since }) => ({ name, health, reason, since })),
    })),
  };
}
