import type { Failure, FailureClass } from '../attempt/failure.ts';

/**
 * How much a failure tells a client when every target has failed: a provider's own words about load before ours about connections, and
 * before trouble with an account, which is for the platform team and not for the application.
 */
const RANK: Record<FailureClass, number> = {
  Request: 9,
  Capability: 8,
  RateLimit: 7,
  Overload: 6,
  Malformed: 4,
  Stall: 4,
  Transport: 3,
  AfterCommit: 3,
  Account: 2,
  ClientAbort: 1,
};

export function mostTellingFailure(failures: readonly Failure[]): Failure | undefined {
  let best: Failure | undefined;
  for (const failure of failures) if (best === undefined || rank(failure) > rank(best)) best = failure;
  return best;
}

function rank(failure: Failure): number {
  // A 5xx with a provider's own error object says more than a silence.
  return RANK[failure.class] + (failure.class === 'Transport' && failure.answer !== undefined ? 2 : 0);
}

/** The HTTP status that an exhausted chain is answered with. A model that no target has is our configuration's fault, not the client's. */
export function exhaustedStatus(failure: Failure | undefined): number {
  switch (failure?.class) {
    case 'RateLimit':
      return 429;
    case 'Stall':
      return 504;
    case 'Transport':
      return failure.code === 'connect_timeout' ? 504 : (serverStatus(failure.status) ?? 502);
    case 'Malformed':
      return 502;
    default:
      return 503;
  }
}

function serverStatus(status: number | undefined): number | undefined {
  return status !== undefined && status >= 500 && status <= 504 ? status : undefined;
}
