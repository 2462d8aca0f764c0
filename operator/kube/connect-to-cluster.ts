import { KubeConfig } from '@kubernetes/client-node';
import { createConnectionSource } from './connection.ts';
import { createHttpTransport } from './http-transport.ts';
import type { KubeTransport } from './kube-transport.ts';

export interface KubeConfigOptions {
  /** Path of a kubeconfig. Left out: the pod's own ServiceAccount, else `$KUBECONFIG`, else `~/.kube/config`. */
  kubeconfig?: string | undefined;
  context?: string | undefined;
  /** First word of the `User-Agent`, as audit logs show it: `understudy/0.1.0`. */
  userAgent: string;
}

/** Opens the way to the API server. Throws a `TypeError` when the config names none. Does no network I/O yet. */
export function connectToCluster({ kubeconfig, context, userAgent }: KubeConfigOptions): KubeTransport {
  const config = new KubeConfig();
  if (kubeconfig !== undefined) config.loadFromFile(kubeconfig);
  else if (process.env.KUBERNETES_SERVICE_HOST && !process.env.KUBECONFIG) config.loadFromCluster();
  else config.loadFromDefault();
  if (context !== undefined) config.setCurrentContext(context);
  return createHttpTransport(createConnectionSource(config), userAgent);
}
