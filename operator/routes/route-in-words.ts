import type { ModelRouteStatus } from '../../crds/model-route.ts';
import { conditionsInWords } from '../conditions-in-words.ts';

/** A route's status without what changes although nothing happened to the route. */
export function routeInWords({ conditions, proxies, ...rest }: ModelRouteStatus): unknown {
  // The revision is the namespace's: it changes with every other route too.
  const { revision: _revision, ...counts } = proxies ?? {};
  return { ...rest, proxies: counts, conditions: conditionsInWords(conditions) };
}
