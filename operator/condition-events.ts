import type { Condition } from '../crds/conditions.ts';
import type { EventNote } from './kube/event-recorder.ts';

/** What a change of conditions is worth telling in an Event: warnings, and that what was warned of is over. */
export function conditionEvents(before: readonly Condition[] | undefined, after: readonly Condition[] | undefined): EventNote[] {
  return (after ?? []).flatMap((condition) => {
    const previous = before?.find(({ type }) => type === condition.type);
    if (previous?.status === condition.status && previous.reason === condition.reason) return [];
    const type = eventType(condition, previous);
    return type === undefined ? [] : [{ type, reason: condition.reason, message: `${condition.type}: ${condition.message}` }];
  });
}

function eventType(condition: Condition, previous: Condition | undefined): EventNote['type'] | undefined {
  switch (condition.type) {
    case 'Accepted':
      // Warnings keep the status True.
      if (condition.reason !== 'Accepted') return 'Warning';
      return previous === undefined ? undefined : 'Normal';
    case 'Programmed':
      if (condition.reason === 'Refused' || condition.reason === 'WorkloadFailed') return 'Warning';
      return condition.status === 'True' ? 'Normal' : undefined;
    case 'ResolvedRefs':
    case 'CredentialsResolved':
    case 'Healthy':
      if (condition.status === 'False') return 'Warning';
      return condition.status === 'True' && previous?.status === 'False' ? 'Normal' : undefined;
    default:
      // FailedOver is told by the failovers themselves, with what was seen.
      return undefined;
  }
}
