import type { ClusterApi } from './cluster-api.ts';

export const NODE_NAME = 'node-1';
/** The controllers take a node for dead, and evict its pods, when it has been silent for 40 s. */
const HEARTBEAT_MS = 10_000;
const LEASES = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases';

/** Makes the Node that pods run on, and keeps it alive. Gives a function that ends that. */
export async function keepNode(api: ClusterApi, address: string): Promise<() => void> {
  await api.create('/api/v1/nodes', {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: NODE_NAME, labels: { 'kubernetes.io/hostname': NODE_NAME } },
  });
  const now = new Date().toISOString();
  const ready = { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status' };
  await api.merge(`/api/v1/nodes/${NODE_NAME}/status`, {
    status: {
      conditions: [{ ...ready, lastHeartbeatTime: now, lastTransitionTime: now }],
      addresses: [{ type: 'InternalIP', address }],
    },
  });
  const spec = () => ({ holderIdentity: NODE_NAME, leaseDurationSeconds: 40, renewTime: microseconds() });
  const metadata = { name: NODE_NAME, namespace: 'kube-node-lease' };
  await api.create(LEASES, { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec: spec() });
  const timer = setInterval(() => {
    // While the API server is away nobody counts the silence either.
    api.merge(`${LEASES}/${NODE_NAME}`, { spec: spec() }).catch(() => undefined);
  }, HEARTBEAT_MS);
  return () => clearInterval(timer);
}

function microseconds(): string {
  return new Date().toISOString().replace('Z', '000Z');
}
