import type { KubeObject, ObjectKey } from './kube-object.ts';

/** `object` is absent when it was deleted, `previous` when it is new; both, of one version, at a resync. */
export interface Change<T extends KubeObject> {
  key: ObjectKey;
  object?: T;
  previous?: T;
}

/**
 * A local copy of a collection, kept by list and watch. Objects are shared and frozen in meaning: readers must not write to them.
 * What is read may be a moment old; what is told by `onChange` is never lost, though changes of one object may be told as one.
 */
export interface Informer<T extends KubeObject> {
  /** Begins, and goes on until `signal`. Resolves when all has stopped. Never rejects for what the API server does. */
  run(signal: AbortSignal): Promise<void>;
  /** Whether the first list is in. An informer stays synced while the API server is away. */
  hasSynced(): boolean;
  /** Resolves at the first list, rejects with the signal's reason when that comes first. */
  whenSynced(signal?: AbortSignal): Promise<void>;
  get(key: ObjectKey): T | undefined;
  list(namespace?: string): T[];
  /** Called after the local copy has changed. What is in it already is told at once, as new. Returns the way to leave. */
  onChange(listener: (change: Change<T>) => void): () => void;
  /** Tells every object again, without asking the API server. */
  resync(): void;
}
