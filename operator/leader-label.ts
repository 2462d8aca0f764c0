import type { Logger } from 'pino';
import { type Clock, pause } from './kube/clock.ts';
import type { KubeClient } from './kube/kube-client.ts';
import { isKubeError } from './kube/kube-error.ts';
import { RESOURCES } from './kube/resources.ts';

/** The operator's Service selects the pod that carries it: proxies reach the one replica that listens to them. */
export const LEADER_LABEL = 'understudy.dev/leader';
/** Until the label is there, no proxy that is new finds the operator. */
const RETRY_MS = 1_000;

export interface LeaderLabelOptions {
  client: Pick<KubeClient, 'mergePatch'>;
  /** This very pod; absent outside of a cluster. */
  pod: { namespace: string; name: string } | undefined;
  clock: Clock;
  logger: Logger;
}

/** Puts the label on this pod, or takes it off, and tries until that has worked. A pod that does not exist needs none. */
export async function setLeaderLabel(leads: boolean, signal: AbortSignal, options: LeaderLabelOptions): Promise<void> {
  const { client, pod, clock, logger } = options;
  while (pod !== undefined && !signal.aborted) {
    try {
      await client.mergePatch(
        RESOURCES.Pod,
        pod,
        { metadata: { labels: { [LEADER_LABEL]: leads ? 'true' : null } } },
        { signal },
      );
      return;
    } catch (error) {
      if (isKubeError(error, 'NotFound') || signal.aborted) return;
      logger.warn({ err: error, leads }, 'the label that the Service finds the leader by could not be set');
      await pause(clock, RETRY_MS, signal);
    }
  }
}
