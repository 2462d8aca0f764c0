import type { Pod, PodCondition } from './pod.ts';

export type ContainerState =
  | { is: 'waiting'; reason: string; message?: string }
  | { is: 'running'; startedAt: string }
  | { is: 'terminated'; exitCode: number; finishedAt: string };

export interface PodFacts {
  /** The conditions that were written last: what has not changed keeps its time. */
  conditions: readonly PodCondition[];
  address: string;
  nodeAddress: string;
  state: ContainerState;
  started: boolean;
  ready: boolean;
  restarts: number;
  startTime: string;
  /** The pod is being deleted and its process has ended. */
  ended: boolean;
  now: string;
}

/** What the node says of a pod. Pure. */
export function podStatus(pod: Pod, facts: PodFacts): { phase: string; conditions: PodCondition[] } & Record<string, unknown> {
  const { state, ready } = facts;
  const conditions = (
    [
      ['PodScheduled', true],
      ['PodReadyToStartContainers', true],
      ['Initialized', true],
      ['ContainersReady', ready],
      ['Ready', ready],
    ] as const
  ).map(([type, holds]): PodCondition => {
    const status = holds ? 'True' : 'False';
    const before = facts.conditions.find((condition) => condition.type === type);
    const lastTransitionTime = before?.status === status ? before.lastTransitionTime : facts.now;
    return { type, status, lastTransitionTime, ...(holds ? {} : { reason: 'ContainersNotReady' }) };
  });
  return {
    phase: facts.ended ? 'Succeeded' : state.is === 'waiting' && facts.restarts === 0 ? 'Pending' : 'Running',
    conditions,
    hostIP: facts.nodeAddress,
    podIP: facts.address,
    podIPs: [{ ip: facts.address }],
    startTime: facts.startTime,
    containerStatuses: pod.spec.containers.map(({ name, image }) => ({
      name,
      image,
      imageID: image,
      ready,
      started: facts.started,
      restartCount: facts.restarts,
      state: stateOf(state),
    })),
  };
}

function stateOf(state: ContainerState): object {
  switch (state.is) {
    case 'waiting':
      return { waiting: { reason: state.reason, ...(state.message === undefined ? {} : { message: state.message }) } };
    case 'running':
      return { running: { startedAt: state.startedAt } };
    case 'terminated':
      return { terminated: { exitCode: state.exitCode, finishedAt: state.finishedAt, reason: 'Completed' } };
  }
}
