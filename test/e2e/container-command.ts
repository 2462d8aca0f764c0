import { join } from 'node:path';
import { type Container, type Pod, readField } from './pod.ts';

const ROOT = join(import.meta.dirname, '../..');
const CLUSTER_DNS = join(import.meta.dirname, 'cluster-dns.ts');
/** Where Kubernetes mounts the token that a pod shows to the API server. */
export const SERVICE_ACCOUNT_PATH = '/var/run/secrets/kubernetes.io/serviceaccount';

export interface ContainerCommand {
  command: string;
  args: string[];
  env: Record<string, string>;
}

/** What the node gives to the process besides what the container asks for. */
export interface NodeSurroundings {
  /** The pod's own address. */
  address: string;
  apiServer: { host: string; port: string };
  hostsFile: string;
  /** Written by the node for pods that have a ServiceAccount token. */
  kubeconfig: string | undefined;
  /** Directory of a volume. */
  directory(volume: string): string;
}

/**
 * The process that stands for a container. Pure. What a runtime does by namespaces is done by other means, since that takes no root:
 * - the image is this checkout: its command `understudy` is `cli/start.js` on the Node of the checkout;
 * - a path under a mount is rewritten to the directory of the volume, in arguments and environment;
 * - the pod's address is told by UNDERSTUDY_BIND_HOST, for the addresses that name no host;
 * - the client library reads its ServiceAccount from fixed paths: a kubeconfig names the same files.
 */
export function containerCommand(pod: Pod, container: Container, node: NodeSurroundings): ContainerCommand {
  const { command = [], args = [] } = container;
  if (command[0] !== 'understudy') throw new Error(`the image has the command understudy, not ${command.join(' ')}`);
  if (container.envFrom) throw new Error('this node does not have envFrom');
  const toDirectory = (text: string) => rewritePath(text, container, node.directory);
  const env: Record<string, string> = {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    KUBERNETES_SERVICE_HOST: node.apiServer.host,
    KUBERNETES_SERVICE_PORT: node.apiServer.port,
    UNDERSTUDY_BIND_HOST: node.address,
    NODE_OPTIONS: `--import ${CLUSTER_DNS}`,
    CLUSTER_DNS_HOSTS: node.hostsFile,
    ...(node.kubeconfig === undefined ? {} : { KUBECONFIG: node.kubeconfig }),
  };
  for (const { name, value = '', valueFrom } of container.env ?? []) {
    if (valueFrom && !valueFrom.fieldRef) throw new Error(`${name}: this node knows no value from ${Object.keys(valueFrom)}`);
    env[name] = valueFrom?.fieldRef ? readField(pod, valueFrom.fieldRef.fieldPath) : toDirectory(value);
  }
  return {
    command: process.execPath,
    args: [join(ROOT, 'cli/start.js'), ...[...command.slice(1), ...args].map(toDirectory)],
    env,
  };
}

function rewritePath(text: string, { volumeMounts = [] }: Container, directory: (volume: string) => string): string {
  const mount = volumeMounts.find(({ mountPath }) => text === mountPath || text.startsWith(`${mountPath}/`));
  return mount ? join(directory(mount.name), mount.subPath ?? '', text.slice(mount.mountPath.length)) : text;
}

/**
 * A kubeconfig that says what the mounted ServiceAccount says: the same address, authority and token, read from the same files. The token in
 * the words of the client library, which takes a `tokenFile` of its own kubeconfigs only so.
 */
export function serviceAccountKubeconfig(mount: string, apiServer: { host: string; port: string }): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'in-cluster',
        cluster: { server: `https://${apiServer.host}:${apiServer.port}`, 'certificate-authority': join(mount, 'ca.crt') },
      },
    ],
    users: [{ name: 'pod', user: { 'auth-provider': { name: 'tokenFile', config: { tokenFile: join(mount, 'token') } } } }],
    contexts: [{ name: 'pod', context: { cluster: 'in-cluster', user: 'pod' } }],
    'current-context': 'pod',
  });
}
