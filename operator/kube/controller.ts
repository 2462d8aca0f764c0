import type { Logger } from 'pino';
import { type Clock, systemClock } from './clock.ts';
import { isKubeError } from './kube-error.ts';
import type { ObjectKey } from './kube-object.ts';
import { decideFailure, type FailureDecision, type ReconcileResult } from './reconcile-error.ts';
import { WorkQueue, type WorkQueueObserver } from './work-queue.ts';

export interface ControllerOptions {
  /** Name in logs and metrics, for example `routes`. */
  name: string;
  /** Brings the world to what the resource says. Level-based: it is told which, never what changed. The signal bounds it in time. */
  reconcile: (key: ObjectKey, signal: AbortSignal) => Promise<ReconcileResult>;
  /** Told of each failure beside the log, for Events and conditions. Must not throw. */
  onFailure?: (key: ObjectKey, decision: FailureDecision, error: unknown) => void;
  logger: Logger;
  concurrency?: number;
  clock?: Clock;
  random?: () => number;
  observer?: WorkQueueObserver & { reconciled?(outcome: 'Done' | FailureDecision['kind']): void };
}

export interface Controller {
  enqueue(key: ObjectKey): void;
  enqueueAfter(key: ObjectKey, delayMs: number): void;
  /** Works until the signal is aborted; resolves when the reconciles that run then have ended. */
  run(signal: AbortSignal): Promise<void>;
}

/** Several at once keep one slow namespace from holding up the rest, on an operator that is given a fraction of a CPU. */
const CONCURRENCY = 4;
/** Two calls to the API server that run into their limit, and some room. */
const RECONCILE_TIMEOUT_MS = 90_000;
/** A conflict or a busy server is everyday; one that goes on is not. */
const FAILURES_BEFORE_WARNING = 3;

/** Runs a reconcile for each key that is enqueued, and decides by its outcome what follows. */
export function createController(options: ControllerOptions): Controller {
  const { name, reconcile, onFailure, clock = systemClock, random = Math.random, observer } = options;
  const logger = options.logger.child({ controller: name });
  const queue = new WorkQueue({
    clock,
    random,
    concurrency: options.concurrency ?? CONCURRENCY,
    ...(observer ? { observer } : {}),
  });

  async function work(key: ObjectKey, stop: AbortSignal): Promise<void> {
    const limit = new AbortController();
    const abort = () => limit.abort(stop.reason);
    const cancel = clock.schedule(
      () => limit.abort(new DOMException('the reconcile took too long', 'TimeoutError')),
      RECONCILE_TIMEOUT_MS,
    );
    stop.addEventListener('abort', abort, { once: true });
    if (stop.aborted) abort();
    try {
      const { requeueAfterMs } = await reconcile(key, limit.signal);
      queue.forget(key);
      observer?.reconciled?.('Done');
      if (requeueAfterMs !== undefined) queue.addAfter(key, requeueAfterMs);
    } catch (error) {
      if (stop.aborted) return;
      fail(key, error);
    } finally {
      cancel();
      stop.removeEventListener('abort', abort);
    }
  }

  function fail(key: ObjectKey, error: unknown): void {
    const decision = decideFailure(error);
    switch (decision.requeue.after) {
      case 'Never':
        queue.forget(key);
        break;
      case 'Delay':
        queue.forget(key);
        queue.addAfter(key, decision.requeue.milliseconds);
        break;
      case 'Backoff':
        queue.retry(key);
        break;
    }
    observer?.reconciled?.(decision.kind);
    const everyday = isKubeError(error) && error.retryable && queue.failures(key) < FAILURES_BEFORE_WARNING;
    const level = everyday ? 'info' : decision.log;
    logger[level](
      { key, err: error, outcome: decision.kind, reason: decision.reason, failures: queue.failures(key) },
      'reconcile did not finish',
    );
    onFailure?.(key, decision, error);
  }

  return {
    enqueue: (key) => queue.add(key),
    enqueueAfter: (key, delayMs) => queue.addAfter(key, delayMs),
    run: (signal) => queue.run((key) => work(key, signal), signal),
  };
}
