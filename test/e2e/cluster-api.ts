import { connectToCluster } from '../../operator/kube/connect-to-cluster.ts';
import { isKubeError } from '../../operator/kube/kube-error.ts';
import type { Pod, Service } from './pod.ts';

/** What a node asks of the API server. It speaks as an administrator: a node is part of the cluster, its pods are not. */
export interface ClusterApi {
  pods(): Promise<Pod[]>;
  services(): Promise<Service[]>;
  /** Keys → values, of both text and binary. `undefined` when there is none. */
  secret(namespace: string, name: string): Promise<Record<string, Buffer> | undefined>;
  configMap(namespace: string, name: string): Promise<Record<string, Buffer> | undefined>;
  token(pod: Pod, audience: string | undefined, expirationSeconds: number): Promise<{ token: string; expiresAt: number }>;
  bind(pod: Pod, node: string): Promise<void>;
  writeStatus(pod: Pod, status: object): Promise<void>;
  /** Removes the object of a pod that has ended. */
  removePod(pod: Pod): Promise<void>;
  create(path: string, object: object): Promise<void>;
  merge(path: string, patch: object): Promise<void>;
  close(): Promise<void>;
}

const USER_AGENT = 'kubelet-runner';
const CALL_TIMEOUT_MS = 10_000;

export function connectToApi(kubeconfig: string): ClusterApi {
  const transport = connectToCluster({ kubeconfig, userAgent: USER_AGENT });
  const call = <T>(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, body?: object, contentType?: string) =>
    transport.request<T>({
      method,
      path,
      timeoutMs: CALL_TIMEOUT_MS,
      ...(body === undefined ? {} : { body }),
      ...(contentType === undefined ? {} : { contentType }),
    });
  const list = async <T>(path: string) => (await call<{ items: T[] }>('GET', path)).items;
  const ifFound = async <T>(found: Promise<T>): Promise<T | undefined> => {
    try {
      return await found;
    } catch (error) {
      if (isKubeError(error, 'NotFound')) return undefined;
      throw error;
    }
  };
  const podPath = ({ metadata: { namespace, name } }: Pod) => `/api/v1/namespaces/${namespace}/pods/${name}`;
  const decode = (data: Record<string, string> = {}) =>
    Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64')]));

  return {
    pods: () => list<Pod>('/api/v1/pods'),
    services: () => list<Service>('/api/v1/services'),
    async secret(namespace, name) {
      const path = `/api/v1/namespaces/${namespace}/secrets/${name}`;
      const found = await ifFound(call<{ data?: Record<string, string> }>('GET', path));
      return found && decode(found.data);
    },
    async configMap(namespace, name) {
      type ConfigMap = { data?: Record<string, string>; binaryData?: Record<string, string> };
      const found = await ifFound(call<ConfigMap>('GET', `/api/v1/namespaces/${namespace}/configmaps/${name}`));
      if (!found) return undefined;
      const texts = Object.entries(found.data ?? {}).map(([key, value]) => [key, Buffer.from(value)] as const);
      return { ...Object.fromEntries(texts), ...decode(found.binaryData) };
    },
    async token({ metadata: { name, namespace, uid }, spec }, audience, expirationSeconds) {
      const body = {
        spec: {
          expirationSeconds,
          ...(audience === undefined ? {} : { audiences: [audience] }),
          boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name, uid },
        },
      };
      const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${spec.serviceAccountName ?? 'default'}/token`;
      const { status } = await call<{ status: { token: string; expirationTimestamp: string } }>('POST', path, body);
      return { token: status.token, expiresAt: Date.parse(status.expirationTimestamp) };
    },
    async bind(pod, node) {
      const { name, namespace, uid } = pod.metadata;
      const target = { apiVersion: 'v1', kind: 'Node', name: node };
      const body = { apiVersion: 'v1', kind: 'Binding', metadata: { name, namespace, uid }, target };
      await call('POST', `${podPath(pod)}/binding`, body);
    },
    async writeStatus(pod, status) {
      const { uid } = pod.metadata;
      await call('PATCH', `${podPath(pod)}/status`, { metadata: { uid }, status }, 'application/merge-patch+json');
    },
    async removePod(pod) {
      const body = { gracePeriodSeconds: 0, preconditions: { uid: pod.metadata.uid } };
      await ifFound(call('DELETE', podPath(pod), body));
    },
    async create(path, object) {
      await call('POST', path, object);
    },
    async merge(path, patch) {
      await call('PATCH', path, patch, 'application/merge-patch+json');
    },
    close: () => transport.close(),
  };
}
