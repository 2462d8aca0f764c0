import type { AttemptOutcome } from '../attempt/attempt.ts';
import type { Failure } from '../attempt/failure.ts';
import type { Signal } from '../health/target-health.ts';

/** A client that left before any content, having waited this part of the longest wait: it gave up on a provider that hung. */
const ABANDONED_AFTER = 0.5;

/**
 * What an attempt tells of its target's health: nothing, when only the request or the client was at fault. `longestWait`: for the first
 * content of a stream, or for a whole unary answer.
 */
export function signalOf(outcome: AttemptOutcome, startedAt: number, elapsed: number, longestWait: number): Signal | undefined {
  switch (outcome.kind) {
    case 'answer':
    case 'streamed':
      return { kind: 'success', startedAt };
    case 'broken':
      return outcome.failure.class === 'ClientAbort' ? undefined : failure(outcome.failure, startedAt);
    case 'failed':
      return signalOfFailure(outcome.failure, startedAt, elapsed, longestWait);
  }
}

function signalOfFailure(failed: Failure, startedAt: number, elapsed: number, longestWait: number): Signal | undefined {
  switch (failed.class) {
    case 'Transport':
    case 'Overload':
    case 'Malformed':
    case 'Stall':
    case 'AfterCommit':
      return failure(failed, startedAt);
    case 'RateLimit':
      return {
        kind: 'rateLimit',
        startedAt,
        ...(failed.retryAfterMs === undefined ? {} : { retryAfterMs: failed.retryAfterMs }),
      };
    case 'Account':
      return { kind: 'refusal', startedAt, reason: failed.account ?? 'CredentialsRefused' };
    case 'Capability':
      return failed.modelNotFound === true ? { kind: 'refusal', startedAt, reason: 'ModelNotFound' } : undefined;
    case 'Request':
      return undefined;
    case 'ClientAbort':
      if (elapsed < longestWait * ABANDONED_AFTER) return undefined;
      return { kind: 'failure', startedAt, summary: `a client gave up after ${Math.round(elapsed)} ms without content` };
  }
}

function failure(failed: Failure, startedAt: number): Signal {
  const status = failed.status === undefined || failed.code === `http_${failed.status}` ? '' : `${failed.status} `;
  return { kind: 'failure', startedAt, summary: `${status}${failed.code}` };
}
