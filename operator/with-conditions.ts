import type { Condition, ConditionType } from '../crds/conditions.ts';
import type { Finding } from './findings.ts';
import { type ConditionUpdate, setCondition } from './kube/set-condition.ts';

/** A finding on its way into the status, each type with its own reasons. */
export type ConditionFinding = { [T in ConditionType]: Finding<T> & { type: T } }[ConditionType];

/** A status with these conditions in it. Those that are not told of stay as they are. */
export function withConditions<S extends object>(
  status: S,
  previous: readonly Condition[] | undefined,
  findings: readonly ConditionFinding[],
  { generation, now }: { generation: number | undefined; now: number },
): S & { observedGeneration: number; conditions: Condition[] } {
  const observedGeneration = generation ?? 0;
  const conditions = findings.reduce<Condition[]>(
    // That type and reason belong together is what `ConditionFinding` says; a union of both can't say it again here.
    (list, finding) => setCondition(list, { ...finding, observedGeneration } as ConditionUpdate<'Accepted'>, new Date(now)),
    [...(previous ?? [])],
  );
  return { ...status, observedGeneration, conditions };
}
