import { setCondition } from './set-condition.ts';

const first = new Date('2026-11-23T10:00:00.789Z');
const later = new Date('2026-11-23T11:00:00Z');
const accepted = { type: 'Accepted', status: 'True', reason: 'Accepted', message: '', observedGeneration: 1 } as const;

describe('setCondition', () => {
  it('adds a condition at the end, with the time in whole seconds', () => {
    const conditions = setCondition(undefined, accepted, first);
    expect(conditions).toEqual([{ ...accepted, lastTransitionTime: '2026-11-23T10:00:00Z' }]);
    const two = setCondition(conditions, { type: 'Healthy', status: 'Unknown', reason: 'NoSignal', message: '' }, later);
    expect(two.map(({ type }) => type)).toEqual(['Accepted', 'Healthy']);
    expect(two[1]).not.toHaveProperty('observedGeneration');
  });

  it('keeps the time while the status is the same, whatever else changes, and the place in the list', () => {
    const before = setCondition(
      setCondition(undefined, accepted, first),
      { type: 'Healthy', status: 'True', reason: 'Healthy', message: '' },
      first,
    );
    const after = setCondition(
      before,
      { ...accepted, reason: 'ModelNotListed', message: 'no such model', observedGeneration: 2 },
      later,
    );
    expect(after[0]).toEqual({
      type: 'Accepted',
      status: 'True',
      reason: 'ModelNotListed',
      message: 'no such model',
      observedGeneration: 2,
      lastTransitionTime: '2026-11-23T10:00:00Z',
    });
    expect(after[1]).toBe(before[1]);
    expect(before[0]?.reason).toBe('Accepted');
  });

  it('moves the time when the status changes', () => {
    const before = setCondition(undefined, accepted, first);
    const after = setCondition(before, { ...accepted, status: 'False', reason: 'Invalid' }, later);
    expect(after[0]?.lastTransitionTime).toBe('2026-11-23T11:00:00Z');
  });

  it('cuts a message that the API server would refuse', () => {
    expect(setCondition(undefined, { ...accepted, message: 'x'.repeat(40_000) }, first)[0]?.message).toHaveLength(32_768);
  });
});
