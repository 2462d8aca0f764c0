import type { KubeObject } from '../kube/kube-object.ts';
import { createGather } from './gather.ts';

describe('createGather', () => {
  it('reads what is valid, and names what is not', () => {
    const { gather } = setUp([route('good', 'uid', 4), route('bad', 'other', 99)]);
    const gathered = gather('sales');
    expect(gathered.routes.map(({ metadata }) => metadata.name)).toEqual(['good']);
    expect([...gathered.invalidRoutes.keys()]).toEqual(['bad']);
    expect(gathered.invalidRoutes.get('bad')).toMatchObject({ status: 'False', reason: 'Invalid' });
    expect(gathered.generations.size).toBe(2);
  });

  it('keeps the last spec that could be read, of the same object only', () => {
    const { gather, set } = setUp([route('chat', 'uid', 4)]);
    gather('sales');
    set([route('chat', 'uid', 99)]);
    expect(gather('sales').routes[0]!.spec.retries.maxAttempts).toBe(4);
    expect(gather('sales').invalidRoutes.size).toBe(1);
    set([route('chat', 'namesake', 99)]);
    expect(gather('sales').routes).toEqual([]);
  });

  it('reads an object once a version', () => {
    const { gather } = setUp([route('chat', 'uid', 4)]);
    expect(gather('sales').routes[0]).toBe(gather('sales').routes[0]);
  });
});

function setUp(first: KubeObject[]) {
  let objects = first;
  const gather = createGather({ routes: { list: () => objects }, endpoints: { list: () => [] } });
  return {
    gather,
    set: (next: KubeObject[]) => {
      objects = next;
    },
  };
}

function route(name: string, uid: string, maxAttempts: number): KubeObject {
  return {
    apiVersion: 'understudy.dev/v1alpha1',
    kind: 'ModelRoute',
    metadata: { name, namespace: 'sales', uid, generation: 1 },
    spec: { models: ['m'], chain: [{ endpoint: 'a', model: 'm' }], retries: { maxAttempts } },
  };
}
