import type { KubeObject } from '../kube/kube-object.ts';
import type { ServedConfig } from './fit-config.ts';

/** The workloads of all namespaces, as they stand in the cluster. */
export interface WorkloadStore {
  /** Applies, in this order, those that differ from what stands there. In a namespace that is being deleted, does nothing. */
  apply(namespace: string, objects: readonly KubeObject[], signal: AbortSignal): Promise<void>;
  /** Deletes everything that `apply` made, last first. Does nothing, and asks nobody, when there is nothing. */
  remove(namespace: string, signal: AbortSignal): Promise<void>;
  /** The config in the namespace's ConfigMap: what proxies serve that an operator before this one has configured. */
  storedConfig(namespace: string): ServedConfig | undefined;
}
