import { type Logger, pino } from 'pino';
import { connectToCluster } from '../../../operator/kube/connect-to-cluster.ts';
import { createInformer, type InformerLimits, type InformerStep } from '../../../operator/kube/create-informer.ts';
import { createKubeClient } from '../../../operator/kube/create-kube-client.ts';
import type { Change, Informer } from '../../../operator/kube/informer.ts';
import type { KubeClient } from '../../../operator/kube/kube-client.ts';
import type { KubeObject } from '../../../operator/kube/kube-object.ts';
import type { KubeTransport } from '../../../operator/kube/kube-transport.ts';
import { RESOURCES } from '../../../operator/kube/resources.ts';
import { type ControlPlane, startControlPlane } from '../../control-plane/control-plane.ts';
import { eventually } from '../../eventually.ts';
import { type CuttingProxy, startCuttingProxy } from './cutting-proxy.ts';
import { seededRandom } from './seeded-random.ts';

const logger: Logger = pino({ level: 'silent' });

describe('an informer on a real API server', () => {
  let controlPlane: ControlPlane;
  let direct: KubeTransport;
  let client: KubeClient;
  const cleanups: (() => unknown)[] = [];
  let namespace = '';
  let namespaces = 0;

  beforeAll(async () => {
    controlPlane = await startControlPlane();
    direct = connectToCluster({ kubeconfig: controlPlane.kubeconfig, userAgent: 'writer' });
    client = createKubeClient(direct);
  }, 180_000);
  afterAll(async () => {
    await direct?.close();
    await controlPlane?.stop();
  });

  beforeEach(async () => {
    namespaces += 1;
    namespace = `informer-${namespaces}`;
    await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  });
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  function configMap(name: string, value: string): KubeObject {
    return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name }, data: { value } };
  }

  async function proxied(): Promise<CuttingProxy> {
    const proxy = await startCuttingProxy(controlPlane.apiServerUrl, controlPlane.kubeconfig);
    cleanups.push(() => proxy.close());
    return proxy;
  }

  interface Watched {
    informer: Informer<KubeObject>;
    changes: Change<KubeObject>[];
    steps: InformerStep[];
    /** Version that each watch began at. */
    watchedFrom: (string | undefined)[];
  }

  async function watchConfigMaps(kubeconfig: string, limits: Partial<InformerLimits> = {}): Promise<Watched> {
    const transport = connectToCluster({ kubeconfig, userAgent: 'informer' });
    const watchedFrom: (string | undefined)[] = [];
    const changes: Change<KubeObject>[] = [];
    const steps: InformerStep[] = [];
    const informer = createInformer<KubeObject>({
      transport: {
        ...transport,
        stream(request) {
          watchedFrom.push(request.query?.resourceVersion);
          return transport.stream(request);
        },
      },
      resource: RESOURCES.ConfigMap,
      selection: { namespace },
      logger,
      random: seededRandom(1),
      limits: { backoff: { baseMs: 5, capMs: 200 }, ...limits },
      observe: (step) => steps.push(step),
    });
    informer.onChange((change) => changes.push(change));
    const stop = new AbortController();
    const running = informer.run(stop.signal);
    cleanups.push(async () => {
      stop.abort();
      await running;
      await transport.close();
    });
    await informer.whenSynced(AbortSignal.timeout(30_000));
    return { informer, changes, steps, watchedFrom };
  }

  const dataOf = (object: KubeObject | undefined) => (object?.data as { value: string } | undefined)?.value;
  /** What the changes alone say that there is: how a reader sees the world that keeps its own copy. */
  function replay(changes: readonly Change<KubeObject>[]): Record<string, string | undefined> {
    const world: Record<string, string | undefined> = {};
    for (const { key, object } of changes) {
      if (object) world[key] = dataOf(object);
      else delete world[key];
    }
    return world;
  }
  async function truth(): Promise<Record<string, string | undefined>> {
    const all = await client.list<KubeObject>(RESOURCES.ConfigMap, { namespace });
    return Object.fromEntries(all.map((object) => [`${namespace}/${object.metadata.name}`, dataOf(object)]));
  }

  it('tells what was there before, in pages, and then every creation, change and deletion', async () => {
    for (let i = 0; i < 7; i += 1) await client.create(configMap(`old-${i}`, 'old'));
    const { informer, changes } = await watchConfigMaps(controlPlane.kubeconfig, { pageSize: 3 });
    expect(informer.list(namespace).map((object) => object.metadata.name)).toEqual([0, 1, 2, 3, 4, 5, 6].map((i) => `old-${i}`));
    expect(informer.list('elsewhere')).toEqual([]);
    expect(informer.get(`${namespace}/old-3`)).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap', data: { value: 'old' } });

    changes.length = 0;
    await client.create(configMap('new', 'one'));
    await client.apply(configMap('new', 'two'));
    await client.delete(RESOURCES.ConfigMap, { namespace, name: 'new' });
    await eventually(() => expect(changes).toHaveLength(3));
    const key = `${namespace}/new`;
    expect(changes).toMatchObject([
      { key, object: { data: { value: 'one' } } },
      { key, object: { data: { value: 'two' } }, previous: { data: { value: 'one' } } },
      { key, previous: { data: { value: 'two' } } },
    ]);
    expect('object' in changes[2]!).toBe(false);
    expect(informer.get(key)).toBeUndefined();
  });

  it('loses no event of a watch that is broken a hundred times', async () => {
    const proxy = await proxied();
    const { informer, changes, steps } = await watchConfigMaps(proxy.kubeconfig);
    const random = seededRandom(20_261_123);
    // Some cuts fall into the TLS handshake (about 3 kB), some into the middle of an event, some between two.
    proxy.cutAfter(() => 1_000 + Math.floor(random() * 12_000));
    proxy.cutAll();

    const started = () => steps.filter((step) => step === 'WatchStarted').length;
    const written: string[] = [];
    const present = new Set<number>();
    for (let i = 0; started() <= 100 && i < 20_000; i += 1) {
      const slot = Math.floor(random() * 20);
      const name = `slot-${slot}`;
      if (present.has(slot) && random() < 0.3) {
        await client.delete(RESOURCES.ConfigMap, { namespace, name });
        present.delete(slot);
        written.push(`${name} deleted`);
      } else {
        await client.apply(configMap(name, `${i}`));
        present.add(slot);
        written.push(`${name} ${i}`);
      }
    }
    expect(started()).toBeGreaterThan(100);
    proxy.cutAfter(undefined);
    proxy.cutAll();

    const told = () => changes.map(({ key, object }) => `${key.split('/')[1]} ${object ? dataOf(object) : 'deleted'}`);
    await eventually(() => expect(told()).toHaveLength(written.length));
    // One list, at the start: each single version was told once and in order, though the watch broke between any two of them.
    expect(told()).toEqual(written);
    expect(steps.filter((step) => step === 'Listed')).toHaveLength(1);
    expect(replay(informer.list().map((object) => ({ key: `${namespace}/${object.metadata.name}`, object })))).toEqual(
      await truth(),
    );
  }, 120_000);

  it('lists again when its version is gone (410), and tells what was created, changed, deleted and made anew meanwhile', async () => {
    const proxy = await proxied();
    for (const name of ['kept', 'changed', 'deleted', 'renewed']) await client.create(configMap(name, 'before'));
    const { informer, changes, steps } = await watchConfigMaps(proxy.kubeconfig);
    const firstUid = informer.get(`${namespace}/renewed`)?.metadata.uid;
    changes.length = 0;

    proxy.setWeather('Refused');
    proxy.cutAll();
    await client.apply(configMap('changed', 'after'));
    await client.delete(RESOURCES.ConfigMap, { namespace, name: 'deleted' });
    await client.delete(RESOURCES.ConfigMap, { namespace, name: 'renewed' });
    await client.create(configMap('renewed', 'after'));
    await client.create(configMap('created', 'after'));
    // A restarted API server remembers no event from before: what is older than its start is gone.
    await controlPlane.killApiServer();
    await controlPlane.startApiServer();
    proxy.setWeather('Clear');

    await eventually(() => expect(steps).toContain('Expired'));
    await eventually(async () =>
      expect(replay(informer.list().map((object) => ({ key: `${namespace}/${object.metadata.name}`, object })))).toEqual(
        await truth(),
      ),
    );
    const short = changes.map(({ key, object, previous }) => [key.split('/')[1], dataOf(previous), dataOf(object)]);
    expect(short.sort()).toEqual(
      [
        ['changed', 'before', 'after'],
        ['created', undefined, 'after'],
        ['deleted', 'before', undefined],
        ['renewed', 'before', undefined],
        ['renewed', undefined, 'after'],
      ].sort(),
    );
    expect(changes.find(({ key, object }) => key.endsWith('/renewed') && !object)?.previous?.metadata.uid).toBe(firstUid);
  }, 120_000);

  it('stays synced while the API server is dead, and misses nothing of what follows', async () => {
    await client.create(configMap('before', '1'));
    const { informer, changes, steps } = await watchConfigMaps(controlPlane.kubeconfig);
    await controlPlane.killApiServer();
    await eventually(() => expect(steps.filter((step) => step === 'Failed').length).toBeGreaterThan(5));
    expect(informer.hasSynced()).toBe(true);
    expect(dataOf(informer.get(`${namespace}/before`))).toBe('1');
    await controlPlane.startApiServer();
    await client.apply(configMap('before', '2'));
    await client.create(configMap('after', '1'));
    await eventually(async () => expect(replay(changes)).toEqual(await truth()));
    expect(Object.keys(replay(changes))).toHaveLength(2);
  }, 120_000);

  it('notices a watch that has died without a word', async () => {
    const proxy = await proxied();
    const { changes, steps } = await watchConfigMaps(proxy.kubeconfig, { idleTimeoutMs: 1_500 });
    await eventually(() => expect(steps).toContain('WatchStarted'));
    proxy.setWeather('Frozen');
    await client.create(configMap('unheard', '1'));
    await eventually(() => expect(steps).toContain('Failed'));
    expect(changes).toEqual([]);
    // What is frozen stays frozen: only a new connection brings the news.
    proxy.cutAll();
    proxy.setWeather('Clear');
    await eventually(() => expect(replay(changes)).toEqual({ [`${namespace}/unheard`]: '1' }));
  });

  it('goes on from a bookmark, so that a quiet selection needs no new list after others were busy', async () => {
    const { steps, watchedFrom } = await watchConfigMaps(controlPlane.kubeconfig, { watchSeconds: [8, 8] });
    // The server sends a bookmark two seconds before it ends a watch, if anything of that kind happened anywhere.
    await client.apply({ ...configMap('elsewhere', '1'), metadata: { namespace: 'default', name: 'elsewhere' } });
    await eventually(() => expect(watchedFrom).toHaveLength(2));
    expect(steps.filter((step) => step !== 'Bookmark')).toEqual(['Listed', 'WatchStarted', 'WatchEnded', 'WatchStarted']);
    expect(steps).toContain('Bookmark');
    expect(Number(watchedFrom[1])).toBeGreaterThan(Number(watchedFrom[0]));
  });

  it('tells everything again at a resync, and asks the API server for nothing', async () => {
    await client.create(configMap('a', '1'));
    const { informer, changes } = await watchConfigMaps(controlPlane.kubeconfig);
    const requests = () => controlPlane.auditLog().filter((event) => event.userAgent === 'informer').length;
    const before = requests();
    changes.length = 0;
    informer.resync();
    expect(changes).toMatchObject([
      { key: `${namespace}/a`, object: { data: { value: '1' } }, previous: { data: { value: '1' } } },
    ]);
    expect(requests()).toBe(before);
  });

  it('keeps telling the others when one listener throws', async () => {
    const { informer, changes } = await watchConfigMaps(controlPlane.kubeconfig);
    const late: Change<KubeObject>[] = [];
    informer.onChange(() => {
      throw new Error('a fault of a listener');
    });
    const leave = informer.onChange((change) => late.push(change));
    await client.create(configMap('a', '1'));
    await eventually(() => expect(late).toHaveLength(1));
    leave();
    await client.create(configMap('b', '1'));
    await eventually(() => expect(changes).toHaveLength(2));
    expect(late).toHaveLength(1);
  });
});
