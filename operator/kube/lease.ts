import type { KubeObject } from './kube-object.ts';

export interface LeaseSpec {
  holderIdentity?: string;
  leaseDurationSeconds?: number;
  acquireTime?: string;
  renewTime?: string;
  leaseTransitions?: number;
}

export interface Lease extends KubeObject {
  spec?: LeaseSpec;
}

/** A lease as one candidate has seen it. */
export interface Observation {
  lease: Lease;
  /** On this candidate's own clock, which never jumps: when this version of it was first seen. */
  since: number;
}

/** What a candidate that sees this may do. */
export type LeaseDecision =
  | { action: 'Create' }
  | { action: 'Renew' }
  | { action: 'TakeOver' }
  | { action: 'Wait'; holder: string };

/**
 * client-go's rules. Times in the lease are never compared with a clock here, since the holder's clock may be off by any amount: a lease is
 * up for grabs when it has not *changed* for as long as it says, by this candidate's own measure.
 */
export function decideLease(observed: Observation | undefined, identity: string, now: number): LeaseDecision {
  if (!observed) return { action: 'Create' };
  const { holderIdentity: holder, leaseDurationSeconds = 0 } = observed.lease.spec ?? {};
  if (!holder) return { action: 'TakeOver' };
  if (holder === identity) return { action: 'Renew' };
  return now - observed.since > leaseDurationSeconds * 1_000 ? { action: 'TakeOver' } : { action: 'Wait', holder };
}

/** The same observation while the lease is the same, so that its age is counted from its last change. */
export function observe(previous: Observation | undefined, lease: Lease, now: number): Observation {
  const unchanged = previous !== undefined && previous.lease.metadata.resourceVersion === lease.metadata.resourceVersion;
  return unchanged ? previous : { lease, since: now };
}

/** What the lease says when `identity` holds it from or still at `now`, in wall-clock milliseconds. */
export function heldBy(identity: string, previous: LeaseSpec | undefined, leaseDurationMs: number, now: number): LeaseSpec {
  const goesOn = previous?.holderIdentity === identity;
  return {
    holderIdentity: identity,
    leaseDurationSeconds: Math.ceil(leaseDurationMs / 1_000),
    acquireTime: goesOn && previous.acquireTime ? previous.acquireTime : microTime(now),
    renewTime: microTime(now),
    leaseTransitions: previous ? (previous.leaseTransitions ?? 0) + (goesOn ? 0 : 1) : 0,
  };
}

/** What the lease says when its holder goes: the next candidate need not wait. */
export function released(previous: LeaseSpec | undefined, now: number): LeaseSpec {
  return {
    holderIdentity: '',
    leaseDurationSeconds: 1,
    acquireTime: microTime(now),
    renewTime: microTime(now),
    leaseTransitions: previous?.leaseTransitions ?? 0,
  };
}

/** `metav1.MicroTime`: six digits after the second. */
export function microTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace('Z', '000Z');
}
