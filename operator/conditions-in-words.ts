import type { Condition } from '../crds/conditions.ts';

/** The messages of these are about the spec. Those of the others hold counts, and what a provider happened to say last. */
const ABOUT_THE_SPEC = new Set(['Accepted', 'ResolvedRefs']);

export function conditionsInWords(conditions: readonly Condition[] | undefined): unknown {
  return conditions?.map(({ message, ...rest }) => (ABOUT_THE_SPEC.has(rest.type) ? { ...rest, message } : rest));
}
