import type { KubeObject, ObjectName } from './kube-object.ts';
import type { Resource } from './resources.ts';

/** Owner of the fields that `apply` writes. */
export const FIELD_MANAGER = 'understudy';
/** Owner of the fields that `applyStatus` writes: apart, so that applying a spec never drops a status, and the other way round. */
export const STATUS_FIELD_MANAGER = 'understudy-status';

export interface CallOptions {
  /** Gives up the call, which then fails with the code `Aborted`. Every call also has a time limit of its own. */
  signal?: AbortSignal;
}

export interface ApplyOptions extends CallOptions {
  /** Whether a field that another manager holds, with another value, is taken over. Otherwise that is a `Conflict`. Default: it is. */
  force?: boolean;
}

export interface ListOptions extends CallOptions {
  /** Left out: all namespaces. */
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
}

/** Who stands behind a token. */
export type TokenReview =
  | {
      authenticated: true;
      username: string;
      uid?: string;
      groups: string[];
      audiences: string[];
      /** Set when the token is of a ServiceAccount (`system:serviceaccount:<namespace>:<name>`). */
      serviceAccount?: { namespace: string; name: string };
      /** Set when the token is bound to a pod, as a projected token is. */
      pod?: { name: string; uid?: string };
    }
  | { authenticated: false; reason: string };

/**
 * The API server. Every call fails with a `KubeError`, whose `code` and `retryable` decide what follows.
 * Calls are bounded in time and in the size of their answers, and are not retried here: who asks knows better.
 */
export interface KubeClient {
  /** `undefined` when there is none. */
  get<T extends KubeObject>(resource: Resource<T>, name: ObjectName, options?: CallOptions): Promise<T | undefined>;
  /** All pages. */
  list<T extends KubeObject>(resource: Resource<T>, options?: ListOptions): Promise<T[]>;
  /** Fails with `AlreadyExists`. */
  create<T extends KubeObject>(object: T, options?: CallOptions): Promise<T>;
  /** Replaces; fails with `Conflict` unless `metadata.resourceVersion` is the present one. */
  update<T extends KubeObject>(object: T, options?: CallOptions): Promise<T>;
  /** Server-side apply as `FIELD_MANAGER`. See `applyIfChanged`. */
  apply<T extends KubeObject>(object: T, options?: ApplyOptions): Promise<T>;
  /** Server-side apply of `status` alone, as `STATUS_FIELD_MANAGER`; never creates. Fails with `NotFound` or, where a uid is given and is another's, `Conflict`. */
  applyStatus<T extends KubeObject>(object: T, options?: CallOptions): Promise<T>;
  /** JSON merge patch, for what is counted up rather than declared (the series of an Event). */
  mergePatch<T extends KubeObject>(resource: Resource<T>, name: ObjectName, patch: object, options?: CallOptions): Promise<T>;
  /** In the background, dependents with it. `NotFound` is an answer and no failure. With a uid, a namesake that came later is left alone (`Conflict`). */
  delete(
    resource: Resource,
    name: ObjectName,
    preconditions?: { uid?: string },
    options?: CallOptions,
  ): Promise<'Deleted' | 'NotFound'>;
  /** TokenReview. A refused token is an answer; an API server that can't be asked is a `KubeError`. */
  reviewToken(token: string, audiences: readonly string[], options?: CallOptions): Promise<TokenReview>;
}
