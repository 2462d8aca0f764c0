import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunningProcess, Workspace } from '../control-plane/workspace.ts';
import type { ClusterApi } from './cluster-api.ts';
import { containerCommand, SERVICE_ACCOUNT_PATH, serviceAccountKubeconfig } from './container-command.ts';
import { type Container, type Pod, podKey } from './pod.ts';
import { type ContainerState, podStatus } from './pod-status.ts';
import { createPodVolumes } from './pod-volumes.ts';
import { type Prober, startProber } from './prober.ts';

const DEFAULT_GRACE_SECONDS = 30;
/** The first restart of a container is at once, as a kubelet's; the next ones wait. A kubelet begins with 10 s. */
const RESTART_DELAY_MS = 2_000;

export interface PodRunnerOptions {
  api: ClusterApi;
  workspace: Workspace;
  pod: Pod;
  address: string;
  nodeAddress: string;
  apiServer: { host: string; port: string };
  hostsFile: string;
}

/** One pod of the node: its volumes, its process, its probes and its status. */
export interface PodRunner {
  pod: Pod;
  address: string;
  /** One look, at each turn of the node: goes on with what has not succeeded yet. Throws what the API server says. */
  sync(): Promise<void>;
  /** Its deletion was asked for: preStop, SIGTERM, grace, SIGKILL; then the object is removed at the next looks. */
  end(): void;
  /** A signal to the process, from outside of the cluster. False when none runs. */
  signal(name: NodeJS.Signals): boolean;
  /** The object is gone too. */
  isGone(): boolean;
  restarts(): number;
  /** In a word, for error messages. */
  state(): string;
  /** The object vanished, or the node ends: SIGKILL. */
  kill(): Promise<void>;
}

export function createPodRunner(options: PodRunnerOptions): PodRunner {
  const { api, workspace, pod, address, nodeAddress } = options;
  const [container, ...more] = pod.spec.containers;
  if (!container || more.length > 0 || pod.spec.initContainers?.length) {
    throw new Error(`pod ${podKey(pod)}: this node runs pods of one container`);
  }
  const name = `${pod.metadata.namespace}_${pod.metadata.name}`;
  const directory = workspace.path('pods', name);
  const volumes = createPodVolumes(api, pod, join(directory, 'volumes'));
  const startTime = new Date().toISOString();
  let state: ContainerState = { is: 'waiting', reason: 'ContainerCreating' };
  let child: RunningProcess | undefined;
  let probers: Prober[] = [];
  let started = false;
  let ready = false;
  let restarts = 0;
  let startAt = 0;
  let ending: Promise<void> | undefined;
  let ended = false;
  let gone = false;
  let pushed = '';
  let conditions = pod.status?.conditions ?? [];

  function start(one: Container): void {
    const { command, args, env } = containerCommand(pod, one, {
      address,
      apiServer: options.apiServer,
      hostsFile: options.hostsFile,
      kubeconfig: writeKubeconfig(one),
      directory: (volume) => volumes.directory(volume),
    });
    const current = workspace.start(name, command, args, env);
    child = current;
    state = { is: 'running', startedAt: new Date().toISOString() };
    started = one.startupProbe === undefined;
    if (one.startupProbe) {
      const startup = startProber(one, one.startupProbe, address, (verdict) => {
        if (verdict === 'Failure') return current.signal('SIGKILL');
        startup.stop();
        started = true;
        probe(one, current);
        void push();
      });
      probers = [startup];
    } else probe(one, current);
    void current.exited.then((code) => onExit(code));
  }

  function probe({ readinessProbe, livenessProbe, ...rest }: Container, current: RunningProcess): void {
    const one = { ...rest, readinessProbe, livenessProbe } as Container;
    if (!readinessProbe) ready = true;
    else {
      const readiness = startProber(one, readinessProbe, address, (verdict) => {
        ready = verdict === 'Success';
        void push();
      });
      probers.push(readiness);
    }
    if (livenessProbe) {
      const liveness = startProber(one, livenessProbe, address, (verdict) => {
        if (verdict === 'Failure') current.signal('SIGTERM');
      });
      probers.push(liveness);
    }
  }

  function onExit(code: number | null): void {
    for (const prober of probers) prober.stop();
    probers = [];
    child = undefined;
    started = false;
    ready = false;
    const finishedAt = new Date().toISOString();
    if (ending) state = { is: 'terminated', exitCode: code ?? 137, finishedAt };
    else {
      const delay = restarts === 0 ? 0 : RESTART_DELAY_MS;
      restarts += 1;
      startAt = Date.now() + delay;
      state = { is: 'waiting', reason: 'CrashLoopBackOff', message: `the last process ended with ${code ?? 'a signal'}` };
    }
    void push();
  }

  function writeKubeconfig({ volumeMounts = [] }: Container): string | undefined {
    const mount = volumeMounts.find(({ mountPath }) => mountPath === SERVICE_ACCOUNT_PATH);
    if (!mount) return undefined;
    const path = join(directory, 'kubeconfig');
    writeFileSync(path, serviceAccountKubeconfig(volumes.directory(mount.name), options.apiServer));
    return path;
  }

  /** News at once; what did not arrive is written at the next look. */
  async function push(): Promise<void> {
    await writeStatus().catch(() => undefined);
  }

  async function writeStatus(): Promise<void> {
    if (gone) return;
    const now = new Date().toISOString();
    const facts = { conditions, address, nodeAddress, state, started, ready, restarts, startTime, ended, now };
    const status = podStatus(pod, facts);
    const text = JSON.stringify(status);
    if (text === pushed) return;
    conditions = status.conditions;
    pushed = text;
    try {
      await api.writeStatus(pod, status);
    } catch (error) {
      pushed = '';
      throw error;
    }
  }

  async function terminate(): Promise<void> {
    const begun = Date.now();
    const grace =
      (pod.metadata.deletionGracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? DEFAULT_GRACE_SECONDS) * 1_000;
    const preStop = (container?.lifecycle?.preStop?.sleep?.seconds ?? 0) * 1_000;
    if (child) {
      const exited = child.exited;
      await Promise.race([exited, pause(Math.min(preStop, grace))]);
      child?.signal('SIGTERM');
      const killAt = setTimeout(() => child?.signal('SIGKILL'), Math.max(0, begun + grace - Date.now()));
      await exited;
      clearTimeout(killAt);
    }
    ended = true;
  }

  return {
    pod,
    address,
    async sync() {
      if (gone) return;
      if (ended) {
        await writeStatus();
        await api.removePod(pod);
        gone = true;
        return;
      }
      mkdirSync(directory, { recursive: true });
      if (!ending || child) await volumes.refresh();
      if (!ending && !child && Date.now() >= startAt) start(container);
      await writeStatus();
    },
    end() {
      ending ??= terminate();
    },
    signal(which) {
      child?.signal(which);
      return child !== undefined;
    },
    isGone: () => gone,
    restarts: () => restarts,
    state: () => (ready ? 'ready' : ending ? 'ending' : started ? 'started' : state.is),
    async kill() {
      ending ??= Promise.resolve();
      gone = true;
      for (const prober of probers) prober.stop();
      await child?.kill();
    },
  };
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
