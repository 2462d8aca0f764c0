import { readdirSync, readFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import process from 'node:process';
import { FLEET_PATHS } from '../../contract/fleet.ts';
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
const FLEET_PORT = 9443;

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
  /** Asks an operator for the config of a namespace, as a proxy does. Gives the first message of the stream, or the refusal. */
  askFleet(operator: PodRunner, token: string, namespace: string): Promise<{ status: number; body: string }>;
  /** Everything that the pods printed, by pod, of pods that are gone too. */
  logs(): Map<string, string>;
  stop(): Promise<void>;
}

export async function startCluster(): Promise<Cluster> {
  const controlPlane = await startControlPlane({ controllerManager: true });
  const workspace = createWorkspace('understudy-e2e-');
  const node = await startKubeletRunner(controlPlane.kubeconfig, controlPlane.apiServerUrl, workspace);

  async function kubectl(args: readonly string[], stdin?: string): Promise<string> {
    const call = controlPlane.kubectl(args, stdin === undefined ? {} : { stdin });
    const { code, stdout, stderr } = await call.catch((cause: unknown) => {
      throw new Error(`kubectl ${args.join(' ')} did not end; ${told()}`, { cause });
    });
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}; ${told()}`);
    return stdout;
  }
  const status = async <T>(kind: string, namespace: string, name: string): Promise<T> =>
    JSON.parse(await kubectl(['get', kind, name, '-n', namespace, '-o', 'json'])).status ?? {};
  const pods = (namespace: string) =>
    node.pods().filter(({ pod: { metadata } }) => metadata.namespace === namespace && metadata.deletionTimestamp === undefined);
  const told = () => {
    const states = node.pods().map((runner) => `${runner.pod.metadata.name} is ${runner.state()}`);
    return [...states, ...node.troubles()].join('; ') || 'the node has no pods';
  };

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
    async askFleet({ address }, token, namespace) {
      const path = 'jsonpath={.data.ca\\.crt}';
      const ca = await kubectl(['get', 'configmap', 'understudy-proxy', '-n', namespace, '-o', path]);
      return firstLine({ host: address, ca, token, path: `${FLEET_PATHS.config}?namespace=${namespace}` });
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

function firstLine(asked: { host: string; ca: string; token: string; path: string }): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const { host, ca, token, path } = asked;
    const sent = request({
      ...{ host, ca, path, port: FLEET_PORT, agent: false, timeout: 10_000 },
      servername: `understudy-operator.${SYSTEM}.svc`,
      headers: { authorization: `Bearer ${token}` },
    });
    sent.once('error', reject).once('timeout', () => sent.destroy(new Error('the operator says nothing')));
    sent.once('response', (response) => {
      let body = '';
      const done = () => {
        resolve({ status: response.statusCode ?? 0, body });
        sent.destroy();
      };
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text;
        if (body.includes('\n')) done();
      });
      response.once('end', done);
    });
    sent.end();
  });
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
