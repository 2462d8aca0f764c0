import { ask } from '../lab/ask.ts';
import { FAULTS } from '../lab/faults.ts';
import { createLab } from '../lab/lab.ts';
import { conditionOf } from '../operator/operator-harness.ts';
import { type Cluster, eventually, SYSTEM, startCluster } from './cluster.ts';
import { MODEL, PRIMARY, STANDBY, secret, stageOf } from './resources.ts';
import { createClient, type SteadyLoad, startLoad } from './steady-load.ts';

describe('whatever is killed or restarted beside the requests, none of them fails', () => {
  const labs = { primary: createLab({ name: 'primary' }), standby: createLab({ name: 'standby' }) };
  let cluster: Cluster;
  let load: SteadyLoad;

  beforeAll(async () => {
    await Promise.all([labs.primary.start(), labs.standby.start()]);
    cluster = await startCluster();
    await cluster.install();
    await cluster.kubectl(['create', 'namespace', 'sales']);
    const urls = { primary: labs.primary.baseURL, standby: labs.standby.baseURL };
    await cluster.apply(
      secret('sales', 'primary', 'sk-primary-0a1b2c3d'),
      secret('sales', 'standby', 'sk-standby-4e5f6a7b'),
      ...stageOf('sales', urls, { probe: { interval: '2s', timeout: '5s' } }),
    );
    await isProgrammed();
    // Streams that last for some seconds, so that every restart meets one.
    await heal();
    load = startLoad({ baseURL: cluster.baseURL('sales'), model: MODEL, everyMs: 250 });
  }, 240_000);
  afterAll(async () => {
    await load?.stop();
    await cluster?.stop();
    await Promise.all([labs.primary.stop(), labs.standby.stop()]);
  }, 60_000);
  afterEach(async () => {
    await load.more(4);
    expect(load.report().failures).toEqual([]);
    expect(load.report().streams).toBeGreaterThan(0);
  });

  const route = () => cluster.route('sales', 'proposals');
  const isProgrammed = () =>
    eventually(async () => {
      const status = await route();
      expect(status).toMatchObject({ health: 'Healthy', proxies: { ready: 2, programmed: 2 } });
      expect(conditionOf(status, 'Programmed')).toMatchObject({ status: 'True' });
    });
  const heal = () => labs.primary.setFault({ kind: 'drip', everyMs: 100 }, { only: 'stream' });
  const showsOutage = () =>
    eventually(async () => {
      const status = await route();
      expect(status).toMatchObject({ active: STANDBY, reason: 'PrimaryDown', lastFailover: { from: PRIMARY, to: STANDBY } });
      expect(status.lastFailover?.lasted).toBeUndefined();
    });
  const showsRecovery = () =>
    eventually(async () => {
      const status = await route();
      expect(status).toMatchObject({ active: PRIMARY, reason: 'PrimaryHealthy' });
      expect(status.lastFailover?.lasted).toBeDefined();
    });

  it('the leading operator is killed, and the second one takes over: an outage in between is in its status', async () => {
    const leader = await cluster.leader();
    expect(leader.signal('SIGKILL')).toBe(true);
    await labs.primary.setFault(FAULTS.overloaded.fault);
    await eventually(async () => {
      const holder = await cluster.leader();
      expect(holder.pod.metadata.name).not.toBe(leader.pod.metadata.name);
    });
    await showsOutage();
    const { failovers } = await route();
    await heal();
    await showsRecovery();
    expect((await route()).failovers).toBe(failovers);
    await isProgrammed();
  }, 150_000);

  it('both operators are killed, and come back', async () => {
    const operators = cluster.pods(SYSTEM);
    const restarts = operators.map((operator) => operator.restarts());
    for (const operator of operators) operator.signal('SIGKILL');
    await eventually(() => {
      expect(operators.map((operator) => operator.restarts())).toEqual(restarts.map((count) => count + 1));
    });
    // A route that only an operator could have made known to the proxies.
    await cluster.kubectl([
      'patch',
      'modelroute',
      'proposals',
      '-n',
      'sales',
      '--type=merge',
      '-p',
      '{"spec":{"models":["proposal-writer","gpt-4o","after-the-kill"]}}',
    ]);
    await eventually(async () => {
      const seen = await ask(createClient(cluster.baseURL('sales')), { model: 'after-the-kill' });
      expect(seen).toMatchObject({ error: undefined, finishReason: 'stop' });
    });
    await isProgrammed();
  }, 150_000);

  it('the API server is killed and started again: an outage meanwhile is failed over, and then in the status', async () => {
    await cluster.controlPlane.killApiServer();
    await labs.primary.setFault(FAULTS.reset.fault);
    await eventually(async () => {
      const seen = await ask(createClient(cluster.baseURL('sales')), { model: MODEL });
      expect(seen.headers?.get('x-understudy-target')).toBe(STANDBY);
      expect(seen.headers?.get('x-understudy-attempts')).toBe('1');
    });
    await load.more(8);
    await cluster.controlPlane.startApiServer();
    await showsOutage();
    await heal();
    await showsRecovery();
    await isProgrammed();
    expect(await cluster.endpoint('sales', 'primary')).toMatchObject({ health: 'Healthy' });
  }, 200_000);

  it('all proxies are restarted with the operator away: they serve from the last known good config', async () => {
    await cluster.kubectl(['scale', 'deployment', 'understudy-operator', '-n', SYSTEM, '--replicas=0']);
    await eventually(async () => {
      expect(await cluster.kubectl(['get', 'pods', '-n', SYSTEM, '-o', 'name'])).toBe('');
    });
    const before = cluster.pods('sales').map(({ pod }) => pod.metadata.name);
    for (const name of before) {
      await cluster.kubectl(['delete', 'pod', name, '-n', 'sales', '--wait=false']);
      await eventually(async () => {
        const path = 'jsonpath={.status.readyReplicas}/{.status.replicas}';
        expect(await cluster.kubectl(['get', 'deployment', 'understudy-proxy', '-n', 'sales', '-o', path])).toBe('2/2');
        expect(cluster.pods('sales').map(({ pod }) => pod.metadata.name)).not.toContain(name);
      });
    }
    // What the old ones had under way is over too.
    await eventually(async () => {
      const names = await cluster.kubectl(['get', 'pods', '-n', 'sales', '-o', 'name']);
      expect(names.trim().split('\n')).toHaveLength(2);
    });
    for (const { pod, address } of cluster.pods('sales')) {
      expect(before).not.toContain(pod.metadata.name);
      const log = cluster.logs().get(`sales_${pod.metadata.name}.log`);
      expect(log).toContain('serving the config of the file');
      expect(log).not.toContain('connected to the operator');
      const seen = await ask(createClient(`http://${address}:8080/v1`), { model: MODEL });
      expect(seen).toMatchObject({ error: undefined, finishReason: 'stop' });
    }
    await cluster.kubectl(['scale', 'deployment', 'understudy-operator', '-n', SYSTEM, '--replicas=2']);
    await isProgrammed();
  }, 150_000);
});
