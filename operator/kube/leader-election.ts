import type { Logger } from 'pino';
import { type Clock, pause, systemClock } from './clock.ts';
import type { KubeClient } from './kube-client.ts';
import { isKubeError } from './kube-error.ts';
import type { ObjectName } from './kube-object.ts';
import { decideLease, heldBy, type Lease, type Observation, observe, released } from './lease.ts';
import { RESOURCES } from './resources.ts';

export interface LeaseTimings {
  /** Others take over when the lease has not changed for this long. */
  leaseDurationMs: number;
  /** A leader that could not renew for this long stops. Shorter than the lease: it has stopped before another begins. */
  renewDeadlineMs: number;
  /** Between two looks, with jitter for those that wait. */
  retryPeriodMs: number;
}

/** client-go's, which cluster administrators know. */
export const LEASE_TIMINGS: LeaseTimings = { leaseDurationMs: 15_000, renewDeadlineMs: 10_000, retryPeriodMs: 2_000 };
/** Waiting candidates come at their own times. */
const JITTER = 0.2;
/** How long a leader that stops may take to say so. Others wait for the lease to run out when it can't. */
const RELEASE_TIMEOUT_MS = 3_000;
/** One renewal can be under way at that moment, so one conflict is to be expected. */
const RELEASE_TRIES = 3;

export interface LeaderElectionOptions {
  client: KubeClient;
  lease: Required<ObjectName>;
  /** Unique among the candidates: the pod's name, and something that is new at each start. */
  identity: string;
  /**
   * What only one may do. Its signal is aborted when leadership ends; it should return soon after. Before it has returned, the lease is
   * neither released nor tried for again. If it returns or throws by itself, the election ends.
   */
  lead: (signal: AbortSignal) => Promise<void>;
  onStartedLeading?: () => void;
  onStoppedLeading?: () => void;
  logger: Logger;
  timings?: LeaseTimings;
  clock?: Clock;
  random?: () => number;
}

export interface LeaderElection {
  /** Is a candidate until the signal is aborted: waits, leads, and after a loss waits again. */
  run(signal: AbortSignal): Promise<void>;
  /** True only while nobody else can lead. Looks at the clock itself, so that a process that was held up is not wrong about it. */
  isLeader(): boolean;
}

/** One leader among many candidates, by a Lease. */
export function createLeaderElection(options: LeaderElectionOptions): LeaderElection {
  const { client, identity, lead, clock = systemClock, random = Math.random, timings = LEASE_TIMINGS } = options;
  const logger = options.logger.child({ lease: options.lease.name, identity });
  let observed: Observation | undefined;
  /** Until when, on the monotonic clock, this one leads. Counted from before the request that renewed: others count from after it. */
  let leadsUntil = Number.NEGATIVE_INFINITY;
  let leading = false;

  const isLeader = () => leading && clock.monotonic() < leadsUntil;

  /** One try to get or keep the lease. True when it is held. */
  async function tryLease(signal: AbortSignal): Promise<boolean> {
    const begun = clock.monotonic();
    // What a leader wrote last is still the lease, unless someone else took it: one request instead of two.
    if (!isLeader() || !observed) {
      const lease = await client.get<Lease>(RESOURCES.Lease, options.lease, { signal });
      observed = lease ? observe(observed, lease, clock.monotonic()) : undefined;
    }
    const decision = decideLease(observed, identity, clock.monotonic());
    if (decision.action === 'Wait') return false;
    const spec = heldBy(identity, observed?.lease.spec, timings.leaseDurationMs, clock.now());
    const { apiVersion, kind } = RESOURCES.Lease;
    const written = observed
      ? await client.update<Lease>({ ...observed.lease, spec }, { signal })
      : await client.create<Lease>({ apiVersion, kind, metadata: options.lease, spec }, { signal });
    observed = observe(observed, written, clock.monotonic());
    leadsUntil = begun + timings.renewDeadlineMs;
    return true;
  }

  /** As `tryLease`, with a time limit; a failure is a "not now". */
  async function attempt(limitMs: number, signal: AbortSignal): Promise<boolean> {
    const limit = new AbortController();
    const abort = () => limit.abort(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    const cancel = clock.schedule(abort, limitMs);
    try {
      return await tryLease(limit.signal);
    } catch (error) {
      // Whatever was written or not, the next try reads what the lease says.
      if (isKubeError(error, 'Conflict', 'AlreadyExists', 'NotFound')) observed = undefined;
      if (!signal.aborted) logger.warn({ err: error }, 'the lease could not be read or written');
      return false;
    } finally {
      cancel();
      signal.removeEventListener('abort', abort);
    }
  }

  async function acquire(signal: AbortSignal): Promise<boolean> {
    while (!signal.aborted) {
      if (await attempt(timings.renewDeadlineMs, signal)) return true;
      await pause(clock, timings.retryPeriodMs * (1 + random() * JITTER), signal);
    }
    return false;
  }

  /** Resolves when leadership can't be kept, or `signal` says to stop. */
  async function renew(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await pause(clock, Math.max(0, Math.min(timings.retryPeriodMs, leadsUntil - clock.monotonic())), signal);
      const left = leadsUntil - clock.monotonic();
      if (signal.aborted || left <= 0) return;
      const held = await attempt(left, signal);
      if (!held && observed && decideLease(observed, identity, clock.monotonic()).action === 'Wait') {
        // Someone else has it already, which only a hand on the lease can bring about.
        leadsUntil = Number.NEGATIVE_INFINITY;
        return;
      }
    }
  }

  async function leadOnce(signal: AbortSignal): Promise<'Ended' | 'Lost' | 'Stopped'> {
    const stop = new AbortController();
    const abort = () => stop.abort(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    leading = true;
    logger.info('started leading');
    options.onStartedLeading?.();
    const outcome = { ended: false };
    const work = lead(stop.signal).finally(() => {
      outcome.ended = !stop.signal.aborted;
      stop.abort();
    });
    // It is awaited below, once a renewal that is under way has ended; until then its failure must not count as one that nobody handles.
    work.catch(() => undefined);
    try {
      await renew(stop.signal);
      stop.abort(new Error('leadership ended'));
      await work;
    } finally {
      signal.removeEventListener('abort', abort);
      const held = isLeader();
      leading = false;
      logger.info({ held }, 'stopped leading');
      options.onStoppedLeading?.();
      if (held) await release();
      leadsUntil = Number.NEGATIVE_INFINITY;
    }
    if (outcome.ended) return 'Ended';
    return signal.aborted ? 'Stopped' : 'Lost';
  }

  /** Reads the lease again: a renewal that was given up may have been written all the same, or may still be on its way. */
  async function release(): Promise<void> {
    const signal = AbortSignal.timeout(RELEASE_TIMEOUT_MS);
    try {
      for (let tries = 1; ; tries += 1) {
        const lease = await client.get<Lease>(RESOURCES.Lease, options.lease, { signal });
        if (lease?.spec?.holderIdentity !== identity) break;
        try {
          await client.update<Lease>({ ...lease, spec: released(lease.spec, clock.now()) }, { signal });
          break;
        } catch (error) {
          if (!isKubeError(error, 'Conflict') || tries >= RELEASE_TRIES) throw error;
        }
      }
    } catch (error) {
      logger.warn({ err: error }, 'the lease could not be released: the next leader waits until it runs out');
    }
    observed = undefined;
  }

  return {
    isLeader,
    async run(signal) {
      while (await acquire(signal)) {
        if ((await leadOnce(signal)) !== 'Lost') return;
        observed = undefined;
      }
    },
  };
}
