import type { Logger } from 'pino';
import { createBackoff } from './backoff.ts';
import { type Clock, pause, systemClock } from './clock.ts';
import type { Change, Informer } from './informer.ts';
import { isKubeError } from './kube-error.ts';
import { type KubeObject, keyOf, type ObjectKey } from './kube-object.ts';
import type { KubeTransport } from './kube-transport.ts';
import { listPages, PAGE_SIZE, type Selection } from './list-pages.ts';
import { ObjectStore } from './object-store.ts';
import { orAbort } from './or-abort.ts';
import { collectionPath, type Resource } from './resources.ts';
import { readWatchEvents } from './watch-events.ts';

/** What an informer does, step by step: for metrics and tests. */
export type InformerStep = 'Listed' | 'WatchStarted' | 'WatchEnded' | 'Bookmark' | 'Expired' | 'Failed';

export interface InformerLimits {
  pageSize: number;
  /** The server ends a watch after this long, at random within the range so that not all begin anew at once. */
  watchSeconds: readonly [least: number, most: number];
  /** The server sends a bookmark about once a minute; a watch that is silent for longer is dead. */
  idleTimeoutMs: number;
  /** After a failure. The cap bounds how long the copy is old once the API server is back. */
  backoff: { baseMs: number; capMs: number };
}

export const INFORMER_LIMITS: InformerLimits = {
  pageSize: PAGE_SIZE,
  watchSeconds: [240, 480],
  idleTimeoutMs: 100_000,
  backoff: { baseMs: 100, capMs: 10_000 },
};

/** A watch that lasted this long was no failure to begin one. */
const HEALTHY_WATCH_MS = 1_000;

export interface InformerOptions<T extends KubeObject> {
  transport: KubeTransport;
  resource: Resource<T>;
  selection?: Selection;
  logger: Logger;
  clock?: Clock;
  random?: () => number;
  limits?: Partial<InformerLimits>;
  observe?: (step: InformerStep) => void;
}

export function createInformer<T extends KubeObject>(options: InformerOptions<T>): Informer<T> {
  const { transport, resource, selection = {}, clock = systemClock, random = Math.random, observe = () => {} } = options;
  const limits = { ...INFORMER_LIMITS, ...options.limits };
  const logger = options.logger.child({ informer: resource.kind });
  const path = collectionPath(resource, selection.namespace);
  const store = new ObjectStore<T>();
  const listeners = new Set<(change: Change<T>) => void>();
  const backoff = createBackoff(limits.backoff, random);
  const synced = Promise.withResolvers<void>();
  let isSynced = false;
  let started = false;

  function tell(changes: readonly Change<T>[], to: Iterable<(change: Change<T>) => void> = listeners): void {
    for (const change of changes) {
      for (const listener of to) {
        try {
          listener(change);
        } catch (error) {
          // One listener's fault must not cost the others their event, nor the informer its watch.
          logger.error({ err: error, key: change.key }, 'a listener failed on a change');
        }
      }
    }
  }

  async function list(signal: AbortSignal): Promise<string> {
    const { items, resourceVersion } = await listPages(transport, resource, selection, signal, limits.pageSize);
    const changes = store.replace(items.map(withoutManagedFields));
    isSynced = true;
    synced.resolve();
    observe('Listed');
    tell(changes);
    return resourceVersion;
  }

  /** Follows changes until the watch ends or fails. `reached` is told each version that has been taken in: where the next watch begins. */
  async function watch(from: string, reached: (resourceVersion: string) => void, signal: AbortSignal): Promise<void> {
    const [least, most] = limits.watchSeconds;
    const stream = await transport.stream({
      path,
      query: {
        watch: 'true',
        allowWatchBookmarks: 'true',
        resourceVersion: from,
        timeoutSeconds: String(Math.round(least + random() * (most - least))),
        labelSelector: selection.labelSelector,
        fieldSelector: selection.fieldSelector,
      },
      signal,
      idleTimeoutMs: limits.idleTimeoutMs,
    });
    observe('WatchStarted');
    for await (const event of readWatchEvents<T>(stream, `WATCH ${path}`)) {
      if (event.type === 'BOOKMARK') {
        observe('Bookmark');
        reached(event.resourceVersion);
      } else {
        const object = withoutManagedFields(event.object);
        tell(event.type === 'DELETED' ? store.delete(object) : store.set(object));
        reached(object.metadata.resourceVersion ?? from);
      }
      backoff.reset();
    }
    observe('WatchEnded');
  }

  async function follow(signal: AbortSignal): Promise<void> {
    let resourceVersion: string | undefined;
    while (!signal.aborted) {
      const begun = clock.monotonic();
      try {
        resourceVersion ??= await list(signal);
        await watch(
          resourceVersion,
          (reached) => {
            resourceVersion = reached;
          },
          signal,
        );
        if (clock.monotonic() - begun >= HEALTHY_WATCH_MS) {
          backoff.reset();
          continue;
        }
      } catch (error) {
        if (signal.aborted) return;
        if (isKubeError(error, 'Expired')) {
          observe('Expired');
          resourceVersion = undefined;
          logger.info({ err: error }, 'the version that was watched from is gone: listing again');
        } else {
          observe('Failed');
          logger.warn({ err: error, synced: isSynced }, 'the watch broke: going on from the last version that was seen');
        }
      }
      await pause(clock, backoff.next(), signal);
    }
  }

  return {
    async run(signal) {
      if (started) throw new TypeError(`the informer of ${resource.kind} runs already`);
      started = true;
      await follow(signal);
    },
    hasSynced: () => isSynced,
    whenSynced: (signal) => orAbort(synced.promise, signal),
    get: (key: ObjectKey) => store.get(key),
    list: (namespace) => store.list(namespace),
    onChange(listener) {
      listeners.add(listener);
      tell(
        store.list().map((object) => ({ key: keyOf(object), object })),
        [listener],
      );
      return () => listeners.delete(listener);
    },
    resync: () => tell(store.list().map((object) => ({ key: keyOf(object), object, previous: object }))),
  };
}

/** Who wrote which field is half of an object's bytes, and nothing here reads it. */
function withoutManagedFields<T extends KubeObject>(object: T): T {
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}
