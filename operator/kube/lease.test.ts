import { decideLease, heldBy, type LeaseSpec, microTime, type Observation, observe, released } from './lease.ts';

const lease = (spec: LeaseSpec, resourceVersion = '1') => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { namespace: 'system', name: 'operator', resourceVersion },
  spec,
});

describe('decideLease', () => {
  const other: Observation = { lease: lease({ holderIdentity: 'other', leaseDurationSeconds: 15 }), since: 1_000 };
  const cases: [behaviour: string, Observation | undefined, now: number, action: string][] = [
    ['creates a lease that is not there', undefined, 0, 'Create'],
    ['waits for another holder as long as the lease says', other, 16_000, 'Wait'],
    ['takes over when the lease has not changed for that long', other, 16_001, 'TakeOver'],
    ['takes a released lease at once', { lease: lease(released(undefined, 0)), since: 1_000 }, 1_000, 'TakeOver'],
    ['renews its own', { lease: lease({ holderIdentity: 'me', leaseDurationSeconds: 15 }), since: 0 }, 99_000, 'Renew'],
    [
      'does not look at the times in the lease, which another clock wrote',
      { lease: lease({ holderIdentity: 'other', leaseDurationSeconds: 15, renewTime: '1999-01-01T00:00:00.000000Z' }), since: 0 },
      100,
      'Wait',
    ],
  ];
  it.each(cases)('%s', (_, observed, now, action) => {
    expect(decideLease(observed, 'me', now).action).toBe(action);
  });
});

describe('observe', () => {
  it('counts the age of a lease from its last change', () => {
    const first = observe(undefined, lease({}, '1'), 100);
    expect(observe(first, lease({}, '1'), 900).since).toBe(100);
    expect(observe(first, lease({}, '2'), 900).since).toBe(900);
  });
});

describe('heldBy', () => {
  const now = Date.UTC(2026, 10, 23, 10, 0, 0, 123);
  it('keeps the time of acquisition at a renewal, and counts a transition at a change of holder', () => {
    const mine = heldBy('me', undefined, 15_000, now);
    expect(mine).toEqual({
      holderIdentity: 'me',
      leaseDurationSeconds: 15,
      acquireTime: '2026-11-23T10:00:00.123000Z',
      renewTime: '2026-11-23T10:00:00.123000Z',
      leaseTransitions: 0,
    });
    const renewed = heldBy('me', mine, 15_000, now + 2_000);
    expect(renewed).toMatchObject({ acquireTime: microTime(now), renewTime: microTime(now + 2_000), leaseTransitions: 0 });
    expect(heldBy('other', renewed, 15_000, now + 9_000)).toMatchObject({
      acquireTime: microTime(now + 9_000),
      leaseTransitions: 1,
    });
  });
});
