import type { z } from 'zod';
import type { Condition, ConditionReason, ConditionType } from '../crds/conditions.ts';

/** What a check found out, ready to become a condition. */
export interface Finding<T extends ConditionType> {
  status: Condition['status'];
  reason: ConditionReason<T>;
  message: string;
}

/** What compiling a route brought to light. */
export interface RouteFindings {
  accepted: Finding<'Accepted'>;
  resolvedRefs: Finding<'ResolvedRefs'>;
  /** Whether the config holds the route. When it does not, one of the two above says why. */
  served: boolean;
}

/** What compiling a namespace brought to light about one of its endpoints. */
export interface EndpointFindings {
  accepted: Finding<'Accepted'>;
  /** Whether a served route has a target of it: only then do proxies read its key, probe it and report on it. */
  used: boolean;
}

/** What is said of a spec that can't be used, although the API server let it in: it was written before a rule existed. */
export function invalid(error: z.ZodError): Finding<'Accepted'> {
  const problems = error.issues.map(({ path, message }) => `${path.length > 0 ? path.join('.') : 'spec'}: ${message}`);
  return { status: 'False', reason: 'Invalid', message: `The spec can not be used: ${problems.join('; ')}.` };
}
