import type { ServingRoute, ServingTarget } from './serving-config.ts';

/**
 * The order of a route's targets for one request, before health: chain order, and within a weighted step its entries drawn by weight.
 * Regions of one entry stay together in their order.
 */
export function orderTargets(route: ServingRoute, random: () => number): readonly ServingTarget[] {
  if (!route.weighted) return route.targets;
  const rank = new Map<number, number>();
  for (const { target } of route.targets) {
    // Efraimidis and Spirakis (2006): sorting by u^(1/w), descending, draws without replacement in proportion to the weights.
    if (!rank.has(target.entry)) rank.set(target.entry, random() ** (1 / target.weight));
  }
  const rankOf = ({ target }: ServingTarget) => rank.get(target.entry) ?? 0;
  return [...route.targets].sort((a, b) => a.target.step - b.target.step || rankOf(b) - rankOf(a));
}

/**
 * The next target to try: the first that health admits and that was not tried yet; when none is left, the first untried one, whatever its
 * health. So when every target looks bad, health is ignored and the chain's order holds: a bad answer beats none. But one that has begun to
 * answer again comes before those that have not: its small share is meant to spare others, not to send requests into a silence.
 */
export function nextTarget(
  ordered: readonly ServingTarget[],
  tried: ReadonlySet<ServingTarget>,
  admit: (target: ServingTarget) => boolean,
  isRecovering: (target: ServingTarget) => boolean,
): ServingTarget | undefined {
  let recovering: ServingTarget | undefined;
  let lastResort: ServingTarget | undefined;
  for (const candidate of ordered) {
    if (tried.has(candidate)) continue;
    if (admit(candidate)) return candidate;
    lastResort ??= candidate;
    if (recovering === undefined && isRecovering(candidate)) recovering = candidate;
  }
  return recovering ?? lastResort;
}
