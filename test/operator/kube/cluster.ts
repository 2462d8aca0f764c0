import { type Logger, pino } from 'pino';
import { connectToCluster } from '../../../operator/kube/connect-to-cluster.ts';
import { createKubeClient } from '../../../operator/kube/create-kube-client.ts';
import type { KubeClient } from '../../../operator/kube/kube-client.ts';
import type { KubeTransport } from '../../../operator/kube/kube-transport.ts';
import { type ControlPlane, type ControlPlaneOptions, startControlPlane } from '../../control-plane/control-plane.ts';

export const silent: Logger = pino({ level: 'silent' });

/** A control plane, and a client for its administrator. */
export interface Cluster {
  controlPlane: ControlPlane;
  transport: KubeTransport;
  client: KubeClient;
  stop(): Promise<void>;
}

export async function startCluster(userAgent: string, options?: ControlPlaneOptions): Promise<Cluster> {
  const controlPlane = await startControlPlane(options);
  const transport = connectToCluster({ kubeconfig: controlPlane.kubeconfig, userAgent });
  return {
    controlPlane,
    transport,
    client: createKubeClient(transport),
    async stop() {
      await transport.close();
      await controlPlane.stop();
    },
  };
}
