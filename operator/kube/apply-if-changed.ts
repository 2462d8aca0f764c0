import { isApplied, withAppliedHash } from './is-applied.ts';
import type { CallOptions, KubeClient } from './kube-client.ts';
import type { KubeObject } from './kube-object.ts';

export interface Applied<T extends KubeObject> {
  outcome: 'Created' | 'Updated' | 'Unchanged';
  object: T;
}

/**
 * Makes the object as desired, without a request when it is so already.
 *
 * What is not known to be ours is not taken over: without `live`, an object that others have made otherwise is a `Conflict`.
 *
 * @param live as an informer has it. When that is older than the truth, the outcome is one needless request and never a wrong object.
 */
export async function applyIfChanged<T extends KubeObject>(
  client: KubeClient,
  live: T | undefined,
  desired: T,
  options?: CallOptions,
): Promise<Applied<T>> {
  const hashed = withAppliedHash(desired);
  if (live && isApplied(hashed, live)) return { outcome: 'Unchanged', object: live };
  const object = await client.apply(hashed, { ...options, force: live !== undefined });
  return { outcome: live ? 'Updated' : 'Created', object };
}
