import { createObjectHistory } from './object-history.ts';

const object = (name: string, spec: unknown) => ({ kind: 'ModelRoute', metadata: { name }, spec });

describe('createObjectHistory', () => {
  it('counts the generations of a spec, and keeps since when an object is there', () => {
    let now = Date.parse('2026-11-23T10:00:00.700Z');
    const { stamp } = createObjectHistory(() => now);
    const [first] = stamp([object('a', { x: 1 })], 'sales');
    expect(first!.metadata).toMatchObject({ namespace: 'sales', generation: 1, creationTimestamp: '2026-11-23T10:00:00Z' });
    now += 60_000;
    const [same, added] = stamp([object('a', { x: 1 }), object('b', {})], 'sales');
    expect(same!.metadata).toEqual(first!.metadata);
    expect(added!.metadata).toMatchObject({ generation: 1, creationTimestamp: '2026-11-23T10:01:00Z' });
    const [changed] = stamp([object('a', { x: 2 })], 'sales');
    expect(changed!.metadata).toMatchObject({ generation: 2, creationTimestamp: '2026-11-23T10:00:00Z' });
  });

  it('begins anew for an object that was gone in between', () => {
    let now = 0;
    const { stamp } = createObjectHistory(() => now);
    stamp([object('a', { x: 1 })], 'sales');
    stamp([], 'sales');
    now = 5_000;
    expect(stamp([object('a', { x: 2 })], 'sales')[0]!.metadata).toMatchObject({
      generation: 1,
      creationTimestamp: '1970-01-01T00:00:05Z',
    });
  });
});
