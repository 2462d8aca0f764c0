import { modelRoute } from '../../crds/model-route.ts';
import { providerEndpoint } from '../../crds/provider-endpoint.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import type { Gathered } from './gather.ts';
import type { NamespaceBook } from './namespace-book.ts';
import { reconcileNamespace } from './reconcile-namespace.ts';
import { reconcileWorkload } from './reconcile-workload.ts';

const signal = new AbortController().signal;

describe('a namespace', () => {
  it('is published before anything is asked of the API server', async () => {
    const { reconcile, done } = setUp([endpoint(), route('chat')]);
    await reconcile();
    expect(done).toEqual(['publish chat', 'turned', 'apply 5']);
  });

  it('loses its workload with its last route, and keeps what there is to say of its endpoints', async () => {
    const { reconcile, done, book, set } = setUp([endpoint(), route('chat')]);
    await reconcile();
    done.length = 0;
    set([endpoint()]);
    await reconcile();
    expect(done).toEqual(['turned', 'remove', 'withdraw']);
    expect(book.get('sales')?.endpoints.get('vllm')).toMatchObject({ used: false });
  });

  it('is forgotten when nothing is left in it', async () => {
    const { reconcile, done, book, set } = setUp([endpoint(), route('chat')]);
    await reconcile();
    set([]);
    await reconcile();
    expect(book.size).toBe(0);
    expect(done.slice(-2)).toEqual(['remove', 'withdraw']);
  });

  it('has proxies for a route that can not be served yet, so that it is served as soon as it can be', async () => {
    const { reconcile, done } = setUp([route('chat')]);
    await reconcile();
    expect(done).toEqual(['publish ', 'turned', 'apply 5']);
  });
});

type Resources = (ReturnType<typeof endpoint> | ReturnType<typeof route>)[];

function setUp(first: Resources) {
  let resources = first;
  const done: string[] = [];
  const book: NamespaceBook = new Map();
  const gather = (): Gathered => ({
    routes: resources.filter((one) => one.kind === 'ModelRoute'),
    endpoints: resources.filter((one) => one.kind === 'ProviderEndpoint'),
    invalidRoutes: new Map(),
    invalidEndpoints: new Map(),
    generations: new Map(resources.map(({ metadata }) => [metadata.uid!, 1])),
  });
  const workloads = {
    storedConfig: () => undefined,
    apply: async (_namespace: string, objects: readonly KubeObject[]) => void done.push(`apply ${objects.length}`),
    remove: async () => void done.push('remove'),
  };
  const fleet = {
    publish: (_namespace: string, { routes }: { routes: { name: string }[] }) =>
      void done.push(`publish ${routes.map(({ name }) => name).join()}`),
    withdraw: () => void done.push('withdraw'),
  };
  const problems = { of: () => undefined, failed: () => undefined, solved: () => undefined };
  const settings = {
    image: 'understudy:1',
    imagePullPolicy: 'Never',
    imagePullSecrets: [],
    replicas: 1,
    resources: { requests: {}, limits: {} },
    operatorURL: 'https://operator',
    logLevel: 'info',
  } as const;
  return {
    done,
    book,
    set: (next: Resources) => {
      resources = next;
    },
    async reconcile() {
      const onTurned = () => void done.push('turned');
      await reconcileNamespace('sales', { gather, book, fleet, workloads, clock: { monotonic: () => 0 }, onTurned });
      await reconcileWorkload('sales', signal, { book, fleet, workloads, problems, caBundle: () => 'PEM', settings });
    },
  };
}

function endpoint() {
  return providerEndpoint.parse({
    apiVersion: 'understudy.dev/v1alpha1',
    kind: 'ProviderEndpoint',
    metadata: { name: 'vllm', namespace: 'sales', uid: 'vllm' },
    spec: { provider: 'OpenAICompatible', regions: [{ name: 'one', baseURL: 'https://a.example/v1' }] },
  });
}

function route(name: string) {
  return modelRoute.parse({
    apiVersion: 'understudy.dev/v1alpha1',
    kind: 'ModelRoute',
    metadata: { name, namespace: 'sales', uid: name },
    spec: { models: [name], chain: [{ endpoint: 'vllm', model: 'llama' }] },
  });
}
