import { z } from 'zod';
import { objectName } from './names.ts';

/** The part of Kubernetes' `ObjectMeta` that Understudy reads. Everything else in it is let through unread. */
export const objectMeta = z.looseObject({
  name: objectName(),
  namespace: z.string().optional(),
  uid: z.string().optional(),
  generation: z.number().optional(),
  resourceVersion: z.string().optional(),
  creationTimestamp: z.coerce.string().optional(),
  deletionTimestamp: z.coerce.string().optional(),
});
