import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import type { ModelRouteStatus } from '../../crds/model-route.ts';
import type { ProviderEndpointStatus } from '../../crds/provider-endpoint.ts';
import { type AuditEvent, isWrite } from '../control-plane/audit-log.ts';
import { type ControlPlane, startControlPlane } from '../control-plane/control-plane.ts';
import { freePort } from '../control-plane/free-port.ts';
import { createWorkspace, type RunningProcess } from '../control-plane/workspace.ts';
import { eventually } from '../eventually.ts';
import { type FakeProxy, startFakeProxy } from './fake-proxy.ts';

const ROOT = join(import.meta.dirname, '../..');

/** The operator as a process of its own, with the permissions that the manifests give it, on a real API server. */
export interface OperatorHarness {
  controlPlane: ControlPlane;
  /** A kubeconfig that speaks as the operator's ServiceAccount. */
  operatorKubeconfig: string;
  startOperator(settings?: readonly string[]): Promise<RunningOperator>;
  /** kubectl as administrator; fails the test unless it ends well. */
  kubectl(args: readonly string[], stdin?: string): Promise<string>;
  apply(...objects: object[]): Promise<void>;
  route(namespace: string, name: string): Promise<ModelRouteStatus>;
  endpoint(namespace: string, name: string): Promise<ProviderEndpointStatus>;
  /** Connects to the operator, as a pod of the namespace would. Waits for the ServiceAccount and the CA. */
  startProxy(namespace: string, name: string, operator: RunningOperator): Promise<FakeProxy>;
  /** Requests that change something, by the operator, since a moment. Its Lease and its own bookkeeping are left out. */
  writesSince(time: Date): AuditEvent[];
  stop(): Promise<void>;
}

export interface RunningOperator {
  identity: string;
  fleetPort: number;
  adminPort: number;
  /** SIGKILL, as a node that dies. */
  kill(): Promise<void>;
  /** SIGTERM, as the kubelet. Resolves when the process has ended. */
  terminate(): Promise<void>;
  log(): string;
  /** A page of the admin server, or `undefined` while it does not answer. */
  get(path: string): Promise<{ status: number; body: string } | undefined>;
}

export async function startHarness(): Promise<OperatorHarness> {
  const controlPlane = await startControlPlane({ controllerManager: true });
  const workspace = createWorkspace('understudy-operator-test-');
  const operators: RunningProcess[] = [];
  const proxies: FakeProxy[] = [];

  async function kubectl(args: readonly string[], stdin?: string): Promise<string> {
    const { code, stdout, stderr } = await controlPlane.kubectl(args, stdin === undefined ? {} : { stdin });
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
    return stdout;
  }

  await kubectl(['apply', '-f', join(ROOT, 'manifests')]);
  await kubectl(['wait', '--for=condition=Established', '--timeout=30s', '-f', join(ROOT, 'manifests/crds.yaml')]);
  const operatorToken = ['create', 'token', 'understudy-operator', '-n', 'understudy-system', '--duration=24h'];
  const operatorKubeconfig = await controlPlane.kubeconfigFor({ token: (await kubectl(operatorToken)).trim() });

  const harness: OperatorHarness = {
    controlPlane,
    operatorKubeconfig,
    kubectl,
    async startOperator(settings = []) {
      const identity = `operator-${operators.length}`;
      const [fleetPort, adminPort] = [await freePort(), await freePort()];
      const child = workspace.start(identity, process.execPath, [
        join(ROOT, 'cli/understudy.ts'),
        'operator',
        ...['--kubeconfig', operatorKubeconfig],
        ...['--identity', identity],
        ...['--fleet', `127.0.0.1:${fleetPort}`, '--fleet-hosts', '127.0.0.1'],
        ...['--admin', `127.0.0.1:${adminPort}`],
        ...['--proxy-image', 'understudy:test'],
        ...settings,
      ]);
      operators.push(child);
      return {
        identity,
        fleetPort,
        adminPort,
        kill: () => child.kill(),
        async terminate() {
          process.kill(Number(readFileSync(workspace.path(`${identity}.pid`), 'utf8')), 'SIGTERM');
          await eventually(() => expect(child.hasExited()).toBe(true));
        },
        log: () => readFileSync(workspace.path(`${identity}.log`), 'utf8'),
        async get(path) {
          try {
            const response = await fetch(`http://127.0.0.1:${adminPort}${path}`, { signal: AbortSignal.timeout(5_000) });
            return { status: response.status, body: await response.text() };
          } catch {
            return undefined; // Not listening yet, or not any more: that is an answer here.
          }
        },
      };
    },
    async apply(...objects) {
      await kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
    },
    route: async (namespace, name) =>
      JSON.parse(await kubectl(['get', 'modelroute', name, '-n', namespace, '-o', 'json'])).status ?? {},
    endpoint: async (namespace, name) =>
      JSON.parse(await kubectl(['get', 'providerendpoint', name, '-n', namespace, '-o', 'json'])).status ?? {},
    async startProxy(namespace, name, operator) {
      const token = ['create', 'token', 'understudy-proxy', '-n', namespace, '--audience=understudy'];
      const bundle = ['get', 'configmap', 'understudy-proxy', '-n', namespace, '-o', 'jsonpath={.data.ca\\.crt}'];
      const files = await eventually(async () => ({
        tokenFile: workspace.write(`${namespace}-${name}.token`, (await kubectl(token)).trim()),
        caFile: workspace.write(`${namespace}-${name}.crt`, await kubectl(bundle)),
      }));
      const proxy = startFakeProxy({ name, namespace, url: `https://127.0.0.1:${operator.fleetPort}`, ...files });
      proxies.push(proxy);
      return proxy;
    },
    writesSince: (time) =>
      controlPlane
        .auditLog()
        .filter(
          (event) =>
            isWrite(event) &&
            event.user.username === 'system:serviceaccount:understudy-system:understudy-operator' &&
            Date.parse(event.requestReceivedTimestamp) >= time.getTime() &&
            !['leases', 'tokenreviews'].includes(event.objectRef?.resource ?? ''),
        ),
    async stop() {
      await Promise.all(proxies.map((proxy) => proxy.stop()));
      await Promise.all(operators.map((operator) => operator.kill()));
      workspace.remove();
      await controlPlane.stop();
    },
  };
  return harness;
}

export function conditionOf(status: ModelRouteStatus | ProviderEndpointStatus, type: string) {
  return status.conditions?.find((condition) => condition.type === type);
}
