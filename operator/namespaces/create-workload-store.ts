import type { Logger } from 'pino';
import { decodeConfig } from '../encode-config.ts';
import { applyIfChanged } from '../kube/apply-if-changed.ts';
import type { Informer } from '../kube/informer.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { isKubeError, type KubeError } from '../kube/kube-error.ts';
import { type KubeObject, keyOf, toKey } from '../kube/kube-object.ts';
import { WaitingError } from '../kube/reconcile-error.ts';
import { RESOURCES, type Resource } from '../kube/resources.ts';
import { CONFIG_KEY, PROXY_NAME } from '../workload/names.ts';
import { describe, type ServedConfig } from './fit-config.ts';
import type { WorkloadStore } from './workload-store.ts';

/** In the order in which they are made. The ServiceAccount is the last to go: while one stands, something may be left to clean up. */
export const WORKLOAD_KINDS = ['ServiceAccount', 'ConfigMap', 'Service', 'PodDisruptionBudget', 'Deployment'] as const;
export type WorkloadKind = (typeof WORKLOAD_KINDS)[number];
export type WorkloadInformers = Readonly<Record<WorkloadKind, Informer<KubeObject>>>;

/** The local copies are seldom this much behind. */
const LOOK_AGAIN_MS = 1_000;
/** What others have made is not watched: this is how late it is seen that it has gone. */
const TAKEN_LOOK_AGAIN_MS = 10_000;

export interface WorkloadStoreOptions {
  client: KubeClient;
  /** Of those objects only that carry our labels. */
  informers: WorkloadInformers;
  logger: Logger;
}

export function createWorkloadStore({ client, informers, logger }: WorkloadStoreOptions): WorkloadStore {
  const informerOf = (object: KubeObject) => informers[object.kind as WorkloadKind];

  /** Deleting is hard to take back: the API server itself has to say that no route is left. */
  async function assertNoRoutes(namespace: string, signal: AbortSignal): Promise<void> {
    const routes = await client.list(RESOURCES.ModelRoute, { namespace, signal });
    if (routes.length > 0) {
      throw new WaitingError(
        'RoutesExist',
        `namespace ${namespace} has ModelRoutes that are not in the local copy yet`,
        LOOK_AGAIN_MS,
      );
    }
  }

  async function remove(resource: Resource, object: KubeObject, signal: AbortSignal): Promise<void> {
    const { namespace, name, uid } = object.metadata;
    try {
      await client.delete(resource, { namespace, name }, uid === undefined ? {} : { uid }, { signal });
      logger.info({ kind: object.kind, namespace, name }, 'deleted');
    } catch (error) {
      // A namesake came in its place: it is not the one that was to go.
      if (!isKubeError(error, 'Conflict')) throw error;
    }
  }

  return {
    async apply(namespace, objects, signal) {
      try {
        for (const object of objects) {
          const live = informerOf(object).get(keyOf(object));
          const { outcome } = await applyIfChanged(client, live, object, { signal }).catch((error: unknown) => {
            throw live === undefined && isKubeError(error, 'Conflict') ? nameTaken(object, error) : error;
          });
          if (outcome !== 'Unchanged')
            logger.info({ kind: object.kind, namespace, name: object.metadata.name, outcome }, 'applied');
        }
      } catch (error) {
        if (!isNamespaceEnding(error)) throw error;
        logger.debug({ namespace }, 'the namespace is being deleted: nothing is made in it any more');
      }
    },
    async remove(namespace, signal) {
      const standing = [...WORKLOAD_KINDS]
        .reverse()
        .flatMap((kind) => informers[kind].list(namespace).map((object) => ({ resource: RESOURCES[kind], object })))
        .filter(({ object }) => object.metadata.deletionTimestamp === undefined);
      if (standing.length === 0) return;
      await assertNoRoutes(namespace, signal);
      for (const { resource, object } of standing) await remove(resource, object, signal);
    },
    storedConfig(namespace) {
      const stored = informers.ConfigMap.get(toKey({ namespace, name: PROXY_NAME }));
      return stored && readStored(stored, logger);
    },
  };
}

/** What others have made is theirs: it is neither changed nor, when the last route goes, deleted. */
function nameTaken({ kind, metadata: { name } }: KubeObject, error: KubeError): WaitingError {
  const message = `${kind} "${name}" was made by someone else, and Understudy needs the name: delete or rename it (${error.message})`;
  return new WaitingError('NameTaken', message, TAKEN_LOOK_AGAIN_MS);
}

/** A config that can't be read is no loss: it is compiled anew, and only a config that is too large would have needed it. */
function readStored(configMap: KubeObject, logger: Logger): ServedConfig | undefined {
  const encoded = (configMap.binaryData as Record<string, string> | undefined)?.[CONFIG_KEY];
  if (encoded === undefined) return undefined;
  try {
    const bytes = Buffer.from(encoded, 'base64');
    return describe(decodeConfig(bytes), bytes);
  } catch (error) {
    logger.warn({ namespace: configMap.metadata.namespace, err: error }, 'the stored config can not be read: it is made anew');
    return undefined;
  }
}

/** In a namespace that is being deleted nothing can be created (403 with this cause), and in one that is gone nothing is found. */
function isNamespaceEnding(error: unknown): boolean {
  if (isKubeError(error, 'NotFound')) return true;
  return isKubeError(error, 'Forbidden') && /is being terminated/.test(error.message);
}
