import { createHash } from 'node:crypto';
import type { Clock } from './kube/clock.ts';
import type { KubeClient } from './kube/kube-client.ts';
import { isKubeError } from './kube/kube-error.ts';
import { type KubeObject, keyOf, type ObjectKey } from './kube/kube-object.ts';
import type { ReconcileResult } from './kube/reconcile-error.ts';
import { compareStatus, decideWrite } from './status-writes.ts';

export interface StatusWriterOptions<S> {
  client: Pick<KubeClient, 'applyStatus'>;
  clock: Pick<Clock, 'monotonic'>;
  /** Leaves out of a status what is only a figure. */
  inWords: (status: S) => unknown;
  onWrite: () => void;
}

/** Writes statuses, and knows what it wrote before the local copy does. */
export interface StatusWriter<S> {
  /** The status that stands, as far as is known: the one in the local copy, or the one that was written since. */
  present(object: KubeObject, inCopy: S | undefined): S | undefined;
  /** Writes when there is news, or the heartbeat is due. `Pending`: there is a difference, and it will be looked at again. */
  write(
    object: KubeObject,
    before: S | undefined,
    after: S,
    signal: AbortSignal,
  ): Promise<{ outcome: 'Unchanged' | 'Written' | 'Pending'; result: ReconcileResult }>;
  /** The object is gone. */
  forget(key: ObjectKey): void;
}

interface Written<S> {
  uid: string | undefined;
  /** Version of the local copy at that time: while it stands there, the copy does not have the status yet. */
  over: string | undefined;
  status: S;
  at: number;
}

export function createStatusWriter<S extends object>({
  client,
  clock,
  inWords,
  onWrite,
}: StatusWriterOptions<S>): StatusWriter<S> {
  const startedAt = clock.monotonic();
  const written = new Map<ObjectKey, Written<S>>();

  /** Of this very object: a namesake that came later has another uid. */
  function writtenTo(object: KubeObject): Written<S> | undefined {
    const last = written.get(keyOf(object));
    return last?.uid === object.metadata.uid ? last : undefined;
  }

  return {
    present(object, inCopy) {
      const last = writtenTo(object);
      return last && last.over === object.metadata.resourceVersion ? last.status : inCopy;
    },
    async write(object, before, after, signal) {
      const difference = compareStatus(before, after, inWords);
      const last = writtenTo(object);
      const now = clock.monotonic();
      // What an operator before this one wrote, and when, is not known: its figures are as old as this process at least.
      const lastWriteAt = last?.at ?? (difference === 'News' ? Number.NEGATIVE_INFINITY : startedAt);
      const decision = decideWrite(difference, { lastWriteAt, now, spread: spreadOf(keyOf(object)) });
      if (!decision.write) {
        const { lookAgainAfterMs } = decision;
        if (lookAgainAfterMs === undefined) return { outcome: 'Unchanged', result: {} };
        return { outcome: 'Pending', result: { requeueAfterMs: lookAgainAfterMs } };
      }
      const { name, namespace, uid } = object.metadata;
      const { apiVersion, kind } = object;
      try {
        await client.applyStatus({ apiVersion, kind, metadata: { name, namespace, uid }, status: after }, { signal });
      } catch (error) {
        // Deleted a moment ago: the informer will say so.
        if (isKubeError(error, 'NotFound')) return { outcome: 'Unchanged', result: {} };
        throw error;
      }
      onWrite();
      written.set(keyOf(object), { uid, over: object.metadata.resourceVersion, status: after, at: now });
      return { outcome: 'Written', result: {} };
    },
    forget: (key) => void written.delete(key),
  };
}

/** 0 to 1, each object its own and always the same. */
function spreadOf(key: ObjectKey): number {
  return createHash('sha256').update(key).digest().readUInt16BE() / 65_535;
}
