import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import type { ModelRouteStatus } from '../../crds/model-route.ts';
import type { ProviderEndpointStatus } from '../../crds/provider-endpoint.ts';
import { type ControlPlane, startControlPlane } from '../control-plane/control-plane.ts';
import { createWorkspace } from '../control-plane/workspace.ts';
import { startKubeletRunner } from './kubelet-runner.ts';
import type { PodRunner } from './pod-runner.ts';

const ROOT = join(import.meta.dirname, '../..');
export const MANIFESTS = 'manifests/';
export const SYSTEM = 'understudy-system';
/** Generous: it bounds a test that would never end, and is no statement about speed. */
const WITHIN_MS = 90_000;
const POLL_MS = 150;
const LEASE = 'understudy-operator';

/** A cluster whose pods run: a real control plane, and a node that carries pods out as processes. */
export interface Cluster {
  controlPlane: ControlPlane;
  /** kubectl as administrator; throws unless it ends well. */
  kubectl(args: readonly string[], stdin?: string): Promise<string>;
  apply(...objects: object[]): Promise<void>;
  /** `kubectl apply -f manifests/`, and the operator's pods are ready. Nothing of it runs as administrator. */
  install(): Promise<void>;
  route(namespace: string, name: string): Promise<ModelRouteStatus>;
  endpoint(namespace: string, name: string): Promise<ProviderEndpointStatus>;
  /** Pods of a namespace that are not being deleted, oldest first. */
  pods(namespace: string): PodRunner[];
  /** Pod of the operator that holds the Lease. */
  leader(): Promise<PodRunner>;
  /** Where an application reaches the proxies of a namespace, with `/v1`. */
  baseURL(namespace: string): string;
  /** A page of a pod. */
  page(pod: PodRunner, port: number, path: string): Promise<string>;
  /** Everything that the pods printed, by pod, of pods that are gone too. */
  logs(): Map<string, string>;
  stop(): Promise<void>;
}

export async function startCluster(): Promise<Cluster> {
  const controlPlane = await startControlPlane({ controllerManager: true });
  const workspace = createWorkspace('understudy-e2e-');
  const node = await startKubeletRunner(controlPlane.kubeconfig, controlPlane.apiServerUrl, workspace);

  async function kubectl(args: readonly string[], stdin?: string): Promise<string> {
    const { code, stdout, stderr } = await controlPlane.kubectl(args, stdin === undefined ? {} : { stdin });
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
    return stdout;
  }
  const status = async <T>(kind: string, namespace: string, name: string): Promise<T> =>
    JSON.parse(await kubectl(['get', kind, name, '-n', namespace, '-o', 'json'])).status ?? {};
  const pods = (namespace: string) =>
    node.pods().filter(({ pod: { metadata } }) => metadata.namespace === namespace && metadata.deletionTimestamp === undefined);
  const told = () => `the node says: ${node.troubles().join('; ') || 'nothing'}`;

  return {
    controlPlane,
    kubectl,
    pods,
    async apply(...objects) {
      await kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
    },
    async install() {
      process.chdir(ROOT);
      await kubectl(['apply', '-f', MANIFESTS]);
      await eventually(async () => {
        const path = 'jsonpath={.status.availableReplicas}';
        const available = await kubectl(['get', 'deployment', 'understudy-operator', '-n', SYSTEM, '-o', path]);
        if (available !== '2') throw new Error(`${available || 'no'} operators are available; ${told()}`);
      });
    },
    route: (namespace, name) => status('modelroute', namespace, name),
    endpoint: (namespace, name) => status('providerendpoint', namespace, name),
    leader: () =>
      eventually(async () => {
        const holder = await kubectl(['get', 'lease', LEASE, '-n', SYSTEM, '-o', 'jsonpath={.spec.holderIdentity}']);
        const leader = pods(SYSTEM).find(({ pod }) => holder.startsWith(`${pod.metadata.name}_`));
        if (!leader) throw new Error(`the lease is held by "${holder}"`);
        return leader;
      }),
    baseURL(namespace) {
      const address = node.serviceAddress(namespace, 'understudy', 80);
      if (!address) throw new Error(`namespace ${namespace} has no Service understudy yet`);
      return `http://${address.host}:${address.port}/v1`;
    },
    async page({ address }, port, path) {
      const response = await fetch(`http://${address}:${port}${path}`, { signal: AbortSignal.timeout(10_000) });
      return response.text();
    },
    logs() {
      const files = readdirSync(workspace.directory).filter((name) => name.endsWith('.log'));
      return new Map(files.map((name) => [name, readFileSync(workspace.path(name), 'utf8')]));
    },
    async stop() {
      await node.stop();
      workspace.remove();
      await controlPlane.stop();
    },
  };
}

/** Tries again until it holds, and gives what it gave; fails with its last failure. */
export async function eventually<T>(expectation: () => T | Promise<T>, withinMs = WITHIN_MS): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    try {
      return await expectation();
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
