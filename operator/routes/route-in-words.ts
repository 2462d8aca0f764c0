import type { ModelRouteStatus } from '../../crds/model-route.ts';
import { conditionsInWords } from '../conditions-in-words.ts';

/** A route's status without what changes although nothing happened to the route. */
export function routeInWords({ conditions, ...rest }: ModelRouteStatus): unknown {
  return { ...rest, conditions: conditionsInWords(conditions) };
}
