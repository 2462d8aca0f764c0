import type { Logger } from 'pino';
import { type Clock, pause } from './kube/clock.ts';
import type { KubeClient } from './kube/kube-client.ts';
import { isKubeError } from './kube/kube-error.ts';
import { orAbort } from './kube/or-abort.ts';
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

/**
 * Puts the label on this pod, or takes it off. Resolves when that has worked, or at `signal`: then it is tried on beside, until the next
 * call. A leader that lost the API server can't take it off in time, and would stay in the Service, where nobody listens, as a follower.
 */
export type LeaderLabel = (leads: boolean, signal: AbortSignal) => Promise<void>;

/** `life`: of the process. Nothing is tried any more after it. */
export function createLeaderLabel(life: AbortSignal, options: LeaderLabelOptions): LeaderLabel {
  let present = new AbortController();
  return async (leads, signal) => {
    present.abort();
    present = new AbortController();
    const tried = setLabel(leads, AbortSignal.any([life, present.signal]), options);
    // It never rejects itself; `signal` ends the wait, and nothing else.
    await orAbort(tried, signal).catch(() => undefined);
  };
}

/** Tries until it has worked. A pod that does not exist needs no label. */
async function setLabel(leads: boolean, signal: AbortSignal, options: LeaderLabelOptions): Promise<void> {
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
