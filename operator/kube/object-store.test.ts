import { ObjectStore } from './object-store.ts';

const object = (name: string, uid: string, resourceVersion: string) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { namespace: 'sales', name, uid, resourceVersion },
});

describe('an object store', () => {
  it('tells nothing of a version that it has', () => {
    const store = new ObjectStore();
    const a = object('a', 'u1', '1');
    expect(store.set(a)).toEqual([{ key: 'sales/a', object: a }]);
    expect(store.set({ ...a })).toEqual([]);
    expect(store.replace([{ ...a }])).toEqual([]);
  });

  it('tells of an object that was made anew as of two', () => {
    const store = new ObjectStore();
    const [first, second] = [object('a', 'u1', '1'), object('a', 'u2', '9')];
    store.set(first);
    expect(store.replace([second])).toEqual([
      { key: 'sales/a', previous: first },
      { key: 'sales/a', object: second },
    ]);
  });

  it('keeps the namesake of an object that was deleted before it', () => {
    const store = new ObjectStore();
    const second = object('a', 'u2', '9');
    store.set(second);
    expect(store.delete(object('a', 'u1', '8'))).toEqual([]);
    expect(store.get('sales/a')).toBe(second);
  });

  it('tells of everything that a whole list lacks as deleted', () => {
    const store = new ObjectStore();
    const [a, b] = [object('a', 'u1', '1'), object('b', 'u2', '2')];
    store.replace([a, b]);
    expect(store.replace([b])).toEqual([{ key: 'sales/a', previous: a }]);
    expect(store.list()).toEqual([b]);
  });
});
