import { pino } from 'pino';
import type { Informer } from '../kube/informer.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { KubeError } from '../kube/kube-error.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { createWorkloadStore, WORKLOAD_KINDS, type WorkloadInformers } from './create-workload-store.ts';

const signal = new AbortController().signal;

describe('createWorkloadStore', () => {
  it('deletes in the opposite order of making, by uid', async () => {
    const { store, asked } = setUp({ standing: [...WORKLOAD_KINDS] });
    await store.remove('sales', signal);
    expect(asked).toEqual(['list ModelRoute', ...[...WORKLOAD_KINDS].reverse().map((kind) => `delete ${kind} uid-${kind}`)]);
  });

  it('asks nobody when there is nothing to delete', async () => {
    const { store, asked } = setUp({ standing: [] });
    await store.remove('sales', signal);
    expect(asked).toEqual([]);
  });

  it('deletes nothing while the API server knows of a route that the local copy has not', async () => {
    const { store, asked } = setUp({ standing: ['Deployment'], routes: 1 });
    await expect(store.remove('sales', signal)).rejects.toThrow('not in the local copy yet');
    expect(asked).toEqual(['list ModelRoute']);
  });

  it.each<{ sentence: string; error: KubeError; ends: boolean }>([
    {
      sentence: 'does not fail in a namespace that is being deleted',
      error: forbidden('because it is being terminated'),
      ends: true,
    },
    {
      sentence: 'does not fail in a namespace that is gone',
      error: failure('NotFound', 'namespaces "sales" not found'),
      ends: true,
    },
    { sentence: 'fails when it is forbidden for another reason', error: forbidden('no access'), ends: false },
    { sentence: 'fails when the API server is away', error: failure('Unreachable', 'refused'), ends: false },
  ])('$sentence', async ({ error, ends }) => {
    const { store } = setUp({ standing: [], error });
    const applied = store.apply('sales', [standing('Service')], signal);
    if (ends) await expect(applied).resolves.toBeUndefined();
    else await expect(applied).rejects.toBe(error);
  });
});

function forbidden(message: string): KubeError {
  return failure('Forbidden', message);
}

function failure(code: KubeError['code'], message: string): KubeError {
  return new KubeError({ code, request: 'PATCH /…', message });
}

function setUp(given: { standing: readonly (typeof WORKLOAD_KINDS)[number][]; routes?: number; error?: KubeError }) {
  const asked: string[] = [];
  const client = {
    list: async (resource: { kind: string }) => {
      asked.push(`list ${resource.kind}`);
      return Array.from({ length: given.routes ?? 0 }, () => standing('ModelRoute'));
    },
    delete: async (resource: { kind: string }, _name: unknown, { uid }: { uid?: string }) => {
      asked.push(`delete ${resource.kind} ${uid}`);
      return 'Deleted';
    },
    apply: async (object: KubeObject) => {
      if (given.error) throw given.error;
      return object;
    },
  } as unknown as KubeClient;
  const informers = Object.fromEntries(
    WORKLOAD_KINDS.map((kind) => {
      const objects = given.standing.includes(kind) ? [standing(kind)] : [];
      return [kind, { list: () => objects, get: () => objects[0] } as unknown as Informer<KubeObject>];
    }),
  ) as WorkloadInformers;
  return { asked, store: createWorkloadStore({ client, informers, logger: pino({ level: 'silent' }) }) };
}

function standing(kind: string): KubeObject {
  return { apiVersion: 'v1', kind, metadata: { namespace: 'sales', name: 'understudy-proxy', uid: `uid-${kind}` } };
}
