import type { Condition, ConditionReason, ConditionType } from '../../crds/conditions.ts';

/** A condition before it is known since when it holds. */
export interface ConditionUpdate<T extends ConditionType = ConditionType> {
  type: T;
  status: Condition['status'];
  reason: ConditionReason<T>;
  message: string;
  observedGeneration?: number | undefined;
}

/** `metav1.Condition` refuses longer messages. */
const MAX_MESSAGE_LENGTH = 32_768;

/**
 * The list with this condition in it, in its old place or at the end. `lastTransitionTime` moves only when `status` does:
 * it says since when, and a new reason or message is not a new state. The list itself is not changed.
 */
export function setCondition<T extends ConditionType>(
  conditions: readonly Condition[] | undefined,
  update: ConditionUpdate<T>,
  now: Date,
): Condition[] {
  const present = conditions ?? [];
  const previous = present.find((condition) => condition.type === update.type);
  const next: Condition = {
    type: update.type,
    status: update.status,
    // Whole seconds, as metav1.Time has it: the API server would drop a fraction, and each comparison would see a difference.
    lastTransitionTime:
      previous?.status === update.status ? previous.lastTransitionTime : now.toISOString().replace(/\.\d+Z$/, 'Z'),
    reason: update.reason as string,
    message: update.message.slice(0, MAX_MESSAGE_LENGTH),
    ...(update.observedGeneration === undefined ? {} : { observedGeneration: update.observedGeneration }),
  };
  return previous ? present.map((condition) => (condition === previous ? next : condition)) : [...present, next];
}
