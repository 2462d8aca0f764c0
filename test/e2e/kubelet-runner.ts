import { setTimeout as sleep } from 'node:timers/promises';
import type { Workspace } from '../control-plane/workspace.ts';
import { claimAddressBlock } from './address-block.ts';
import { connectToApi } from './cluster-api.ts';
import { keepNode, NODE_NAME } from './node-object.ts';
import { type Pod, podKey } from './pod.ts';
import { createPodRunner, type PodRunner } from './pod-runner.ts';
import { createServiceProxy } from './service-proxy.ts';

/** A pause between two looks at the cluster; a kubelet is told by a watch, and syncs its volumes more seldom. */
const LOOK_INTERVAL_MS = 300;

/**
 * A node of the cluster, without a container runtime: what a kubelet would start in a container, it starts as a process, with that command,
 * that environment, those mounts and that token. It is the scheduler too, and kube-proxy, and DNS.
 */
export interface KubeletRunner {
  pods(): PodRunner[];
  /** Address of a port of a Service, once there is one. */
  serviceAddress(namespace: string, name: string, port: number): { host: string; port: number } | undefined;
  /** What went wrong at the last look, such as a ConfigMap that a pod waits for. */
  troubles(): string[];
  stop(): Promise<void>;
}

export async function startKubeletRunner(kubeconfig: string, apiServerUrl: string, workspace: Workspace): Promise<KubeletRunner> {
  const api = connectToApi(kubeconfig);
  const addresses = await claimAddressBlock();
  const hostsFile = workspace.write('hosts', '');
  const services = createServiceProxy(hostsFile, addresses.nextService);
  const endNode = await keepNode(api, addresses.node);
  const { hostname: host, port } = new URL(apiServerUrl);
  const runners = new Map<string, PodRunner>();
  let troubles: string[] = [];
  let stopped = false;

  async function look(): Promise<void> {
    const [pods, present] = await Promise.all([api.pods(), api.services()]);
    for (const pod of pods) if (pod.spec.nodeName === undefined) await api.bind(pod, NODE_NAME);
    const bound = pods.filter(({ spec }) => spec.nodeName === NODE_NAME);
    await forgetVanished(new Map(bound.map((pod) => [podKey(pod), pod])));
    for (const pod of bound) {
      const runner = runnerOf(pod);
      if (pod.metadata.deletionTimestamp !== undefined) {
        Object.assign(runner.pod.metadata, pod.metadata);
        runner.end();
      }
    }
    const outcomes = await Promise.allSettled([
      ...[...runners.values()].map((runner) => runner.sync()),
      services.update(present, pods),
    ]);
    troubles = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [String(outcome.reason)] : []));
  }

  function runnerOf(pod: Pod): PodRunner {
    const key = podKey(pod);
    const known = runners.get(key);
    if (known) return known;
    const runner = createPodRunner({
      api,
      workspace,
      pod,
      address: addresses.nextPod(),
      nodeAddress: addresses.node,
      apiServer: { host, port },
      hostsFile,
    });
    runners.set(key, runner);
    return runner;
  }

  /** Removed by force, or replaced by a namesake. */
  async function forgetVanished(present: ReadonlyMap<string, Pod>): Promise<void> {
    for (const [key, runner] of runners) {
      if (present.get(key)?.metadata.uid === runner.pod.metadata.uid) continue;
      runners.delete(key);
      await runner.kill();
    }
  }

  const looking = (async () => {
    while (!stopped) {
      // The API server may be away: what runs goes on meanwhile.
      await look().catch((error: unknown) => {
        troubles = [String(error)];
      });
      await sleep(LOOK_INTERVAL_MS);
    }
  })();

  return {
    pods: () => [...runners.values()],
    serviceAddress: services.address,
    troubles: () => troubles,
    async stop() {
      stopped = true;
      endNode();
      await looking;
      await Promise.all([...runners.values()].map((runner) => runner.kill()));
      await services.stop();
      await api.close();
      addresses.release();
    },
  };
}
