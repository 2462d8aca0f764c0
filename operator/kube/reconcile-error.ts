/** What a reconcile that ended well asks for. */
export interface ReconcileResult {
  /** Come back after this many milliseconds, even if nothing changes. */
  requeueAfterMs?: number;
}

/** Nothing will help but a change of the resource itself, which comes by its own event: not tried again. */
export class StalledError extends Error {
  /** PascalCase, as Events and conditions have it. */
  readonly reason: string;
  constructor(reason: string, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'StalledError';
    this.reason = reason;
  }
}

/** Something else has to come first, as expected: looked at again after `requeueAfterMs`, without backoff or alarm. */
export class WaitingError extends Error {
  readonly reason: string;
  readonly requeueAfterMs: number;
  constructor(reason: string, message: string, requeueAfterMs: number) {
    super(message);
    this.name = 'WaitingError';
    this.reason = reason;
    this.requeueAfterMs = requeueAfterMs;
  }
}

/** What follows a failed reconcile. */
export interface FailureDecision {
  kind: 'Stalled' | 'Waiting' | 'Transient';
  reason: string;
  requeue: { after: 'Never' } | { after: 'Backoff' } | { after: 'Delay'; milliseconds: number };
  event: 'Warning' | 'Normal' | 'None';
  log: 'error' | 'warn' | 'info';
}

/** Whatever is neither stalled nor waiting is transient: tried again, later each time. */
export function decideFailure(error: unknown): FailureDecision {
  if (error instanceof StalledError) {
    return { kind: 'Stalled', reason: error.reason, requeue: { after: 'Never' }, event: 'Warning', log: 'error' };
  }
  if (error instanceof WaitingError) {
    const requeue = { after: 'Delay', milliseconds: error.requeueAfterMs } as const;
    return { kind: 'Waiting', reason: error.reason, requeue, event: 'None', log: 'info' };
  }
  return { kind: 'Transient', reason: 'ReconcileFailed', requeue: { after: 'Backoff' }, event: 'None', log: 'warn' };
}
