import { ask } from '../lab/ask.ts';
import { sayText } from '../lab/chat-answer.ts';
import { FAULTS, type FaultName, type FaultPreset } from '../lab/faults.ts';
import { createLab } from '../lab/lab.ts';
import { type Cluster, eventually, startCluster } from './cluster.ts';
import { HASTY, MODEL, PRIMARY, STANDBY, secret, stageOf } from './resources.ts';
import { createClient, startLoad } from './steady-load.ts';

const PROBE = { interval: '2s', timeout: '2s' };
const WORKLOAD = 'deployment,service,serviceaccount,configmap,poddisruptionbudget,pod';

describe('an outage, on a cluster whose pods run from the manifests', () => {
  const labs = { primary: createLab({ name: 'primary' }), standby: createLab({ name: 'standby' }) };
  let cluster: Cluster;

  beforeAll(async () => {
    await Promise.all([labs.primary.start(), labs.standby.start()]);
    cluster = await startCluster();
    await cluster.install();
    await cluster.kubectl(['create', 'namespace', 'sales']);
    const urls = { primary: labs.primary.baseURL, standby: labs.standby.baseURL };
    await cluster.apply(
      secret('sales', 'primary', 'sk-primary-0a1b2c3d'),
      secret('sales', 'standby', 'sk-standby-4e5f6a7b'),
      ...stageOf('sales', urls, { timeouts: HASTY, probe: PROBE }),
    );
    await eventually(async () => {
      expect(await cluster.route('sales', 'proposals')).toMatchObject({ health: 'Healthy', proxies: { summary: '2/2' } });
    });
  }, 240_000);
  afterAll(async () => {
    await cluster?.stop();
    await Promise.all([labs.primary.stop(), labs.standby.stop()]);
  }, 60_000);

  const get = (...args: string[]) => cluster.kubectl(['get', ...args, '-n', 'sales']);
  /** Of each line of a table that kubectl prints: its columns. */
  const columns = (table: string) => table.split('\n').map((line) => line.split(/\s{2,}/));

  it('is not noticed by an application, and is told by kubectl: before, during and after', async () => {
    const client = createClient(cluster.baseURL('sales'));
    const first = await ask(client, { model: MODEL });
    expect(first).toMatchObject({ error: undefined, text: sayText('primary', 'gpt-4o', '') });
    expect(columns(await get('modelroutes'))[1]?.slice(0, 4)).toEqual(['proposals', PRIMARY, 'Healthy', 'PrimaryHealthy']);

    const load = startLoad({ baseURL: cluster.baseURL('sales'), model: MODEL, everyMs: 250 });
    await load.more(4);
    await labs.primary.setFault(FAULTS.overloaded.fault);
    await eventually(async () => {
      const during = await cluster.route('sales', 'proposals');
      expect(during).toMatchObject({ active: STANDBY, health: 'Healthy', reason: 'PrimaryDown', failovers: 1 });
      expect(during.lastFailover).toMatchObject({ from: PRIMARY, to: STANDBY });
      expect(Date.parse(during.since ?? '')).toBeGreaterThan(0);
    });
    const [header, row] = columns(await get('modelroutes', '-o', 'wide'));
    expect(header?.slice(0, 5)).toEqual(['NAME', 'ACTIVE', 'HEALTH', 'REASON', 'SINCE']);
    expect(row?.slice(0, 4)).toEqual(['proposals', STANDBY, 'Healthy', 'PrimaryDown']);
    await eventually(async () => {
      const rows = columns(await get('providerendpoints', '-o', 'wide'));
      expect(rows.map((cells) => [cells[0], cells[2]])).toEqual(
        expect.arrayContaining([
          ['primary', 'Down'],
          ['standby', 'Healthy'],
        ]),
      );
    });
    const during = await eventually(async () => {
      const text = await cluster.kubectl(['describe', 'modelroute', 'proposals', '-n', 'sales']);
      expect(text).toMatch(/Warning\s+FailedOver/);
      return text;
    });
    expect(during).toContain(`Traffic moved from ${PRIMARY} to ${STANDBY}`);

    await labs.primary.setFault(undefined);
    await eventually(async () => {
      const after = await cluster.route('sales', 'proposals');
      expect(after).toMatchObject({ active: PRIMARY, reason: 'PrimaryHealthy', failovers: 1 });
      expect(after.lastFailover?.lasted).toBeDefined();
    });
    await eventually(async () => {
      expect(await cluster.kubectl(['describe', 'modelroute', 'proposals', '-n', 'sales'])).toMatch(/Normal\s+Returned/);
    });
    await load.more(4);
    const { failures, targets, streams } = await load.stop();
    expect(failures).toEqual([]);
    expect(streams).toBeGreaterThan(0);
    expect(targets[PRIMARY]).toBeGreaterThan(0);
    expect(targets[STANDBY]).toBeGreaterThan(0);
  }, 200_000);

  const WAYS: FaultName[] = ['refuse', 'reset', 'status-502', 'hang', 'error-first-event', 'insufficient-quota'];

  it.each(WAYS)('is answered over from the standby when the primary fails by: %s', async (name) => {
    const { fault } = FAULTS[name] as FaultPreset;
    const load = startLoad({ baseURL: cluster.baseURL('sales'), model: MODEL, everyMs: 300 });
    await labs.primary.setFault(fault);
    await eventually(async () => expect(await cluster.route('sales', 'proposals')).toMatchObject({ active: STANDBY }));
    await load.more(3);
    await labs.primary.setFault(undefined);
    // What a refused account looks like is not cured by time alone: a key that changes is a reason to look again.
    if (name === 'insufficient-quota') await cluster.apply(secret('sales', 'primary', 'sk-primary-8c9d0e1f'));
    await eventually(async () => expect(await cluster.route('sales', 'proposals')).toMatchObject({ active: PRIMARY }));
    await load.more(1);
    expect((await load.stop()).failures).toEqual([]);
  });

  it('keeps provider keys from the operator: its token reads no Secret but its own', async () => {
    const [operator] = cluster.pods('understudy-system');
    const token = ['create', 'token', operator!.pod.spec.serviceAccountName!, '-n', 'understudy-system'];
    const kubeconfig = await cluster.controlPlane.kubeconfigFor({ token: (await cluster.kubectl(token)).trim() });
    const asOperator = (...args: string[]) => cluster.controlPlane.kubectl(args, { kubeconfig });
    for (const args of [
      ['get', 'secret', 'primary', '-n', 'sales'],
      ['get', 'secrets', '-n', 'sales'],
      ['get', 'secrets', '-A'],
      ['get', 'secrets', '-n', 'understudy-system'],
      ['get', 'pods', '-A'],
      ['create', 'token', 'understudy-proxy', '-n', 'sales'],
    ]) {
      expect({ args, ...(await asOperator(...args)) }).toMatchObject({
        args,
        code: 1,
        stderr: expect.stringMatching(/forbidden/i),
      });
    }
    expect(await asOperator('get', 'secret', 'understudy-ca', '-n', 'understudy-system', '-o', 'name')).toMatchObject({
      code: 0,
      stdout: 'secret/understudy-ca\n',
    });
    // Nor does a proxy: its ServiceAccount may do nothing at all.
    const can = ['auth', 'can-i', '--list', '--as=system:serviceaccount:sales:understudy-proxy', '-n', 'sales'];
    const granted = await cluster.kubectl(can);
    expect(granted).not.toMatch(/secrets|configmaps|modelroutes|pods/);
  });

  it('removes what it made in a namespace when the last route goes', async () => {
    const standing = async () => (await get(WORKLOAD, '-l', 'app.kubernetes.io/part-of=understudy', '-o', 'name')).trim();
    expect((await standing()).split('\n')).toHaveLength(7);
    await cluster.kubectl(['delete', 'modelroute', 'proposals', '-n', 'sales']);
    await eventually(async () => expect(await standing()).toBe(''));
    expect(cluster.pods('sales')).toEqual([]);
    // What the team made is the team's.
    expect(await get('secret', 'primary', '-o', 'name')).toBe('secret/primary\n');
    expect(await get('providerendpoints', '-o', 'name')).toContain('primary');
  });
});
