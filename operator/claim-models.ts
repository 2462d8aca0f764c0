import type { ModelRoute } from '../crds/model-route.ts';

/** Oldest first. Routes of one second are told apart by their names, so that every operator decides alike. */
export function byAge(a: ModelRoute, b: ModelRoute): number {
  const [ageA, ageB] = [a, b].map((route) => route.metadata.creationTimestamp ?? '');
  if (ageA !== ageB) return ageA! < ageB! ? -1 : 1;
  return a.metadata.name < b.metadata.name ? -1 : 1;
}

/**
 * Which route answers to which model name: the oldest that claims it. It keeps the name even while it can't be served:
 * another route must not begin to answer for it because an endpoint was renamed for a moment.
 */
export function claimModels(routes: readonly ModelRoute[]): Map<string, string> {
  const owners = new Map<string, string>();
  for (const route of [...routes].sort(byAge)) {
    for (const model of route.spec.models) {
      if (!owners.has(model)) owners.set(model, route.metadata.name);
    }
  }
  return owners;
}
