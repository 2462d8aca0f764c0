import { eventually } from '../eventually.ts';
import { conditionOf, type OperatorHarness, startHarness } from './operator-harness.ts';
import { endpoint, namespace, route } from './resources.ts';

const RESYNC = ['--resync-interval', '1s'];
/** Several resyncs, and a moment for writes of before to be over. */
const QUIET_MS = 5_000;

describe('an operator that has nothing to do, or that is not alone', () => {
  let harness: OperatorHarness;

  beforeAll(async () => {
    harness = await startHarness();
  }, 240_000);
  afterAll(() => harness?.stop(), 60_000);

  it('writes nothing at a resync, nor after a restart, hands over to a second one, and outlives its API server', async () => {
    const first = await harness.startOperator(RESYNC);
    await harness.apply(
      namespace('quiet'),
      endpoint('quiet', 'alpha'),
      endpoint('quiet', 'beta', { probe: {} }),
      endpoint('quiet', 'keyless', { credentials: undefined }),
      route('quiet', 'chat', ['alpha/m', 'beta/m']),
      route('quiet', 'keyless', ['keyless/m']),
      route('quiet', 'broken', ['nowhere/m']),
    );
    const proxies = [await harness.startProxy('quiet', 'proxy-0', first), await harness.startProxy('quiet', 'proxy-1', first)];
    const isProgrammed = async (proxiesReady = 2) => {
      const status = await harness.route('quiet', 'chat');
      expect(status).toMatchObject({
        active: 'alpha/one/m',
        health: 'Healthy',
        proxies: { ready: proxiesReady, programmed: proxiesReady },
      });
      expect(conditionOf(status, 'Programmed')).toMatchObject({ status: 'True' });
      expect(await harness.endpoint('quiet', 'beta')).toMatchObject({ health: 'Healthy' });
    };
    await eventually(() => isProgrammed());

    // A resync costs nothing.
    await pause(2_000);
    const quiet = new Date();
    await pause(QUIET_MS);
    expect(describeAll(harness, quiet)).toEqual([]);

    // The leader dies without a word; a second one takes over, with the same proxies and the same state of things.
    const second = await harness.startOperator(RESYNC);
    await eventually(async () => expect((await second.get('/readyz'))?.status).toBe(200));
    await pause(1_000);
    await first.kill();
    const takenOver = new Date();
    await eventually(async () => expect((await second.get('/metrics'))?.body).toMatch(/understudy_operator_leader 1/));
    for (const proxy of proxies) await proxy.reconnect(`https://127.0.0.1:${second.fleetPort}`);
    await eventually(async () => {
      expect((await second.get('/metrics'))?.body).toMatch(/understudy_fleet_connected_proxies 2/);
    });
    await pause(QUIET_MS);
    await isProgrammed();
    expect(describeAll(harness, takenOver)).toEqual([]);

    // The API server dies and comes back: the operator is there again, and what was changed meanwhile is taken up.
    await harness.controlPlane.killApiServer();
    await pause(2_000);
    await harness.controlPlane.startApiServer();
    await harness.apply(route('quiet', 'late', ['beta/m', 'alpha/m']));
    await eventually(async () => {
      const status = await harness.route('quiet', 'late');
      expect(status).toMatchObject({ active: 'beta/one/m', proxies: { ready: 2, programmed: 2 } });
      expect(conditionOf(status, 'Programmed')).toMatchObject({ status: 'True' });
    });
    await eventually(() => isProgrammed());

    // Told to stop, it releases its lease: the next one need not wait until it runs out.
    await second.terminate();
    expect(second.log()).toContain('the operator has ended');
    const holder = ['get', 'lease', 'understudy-operator', '-n', 'understudy-system', '-o', 'jsonpath={.spec.holderIdentity}'];
    expect(await harness.kubectl(holder)).toBe('');
  }, 300_000);
});

function describeAll(harness: OperatorHarness, since: Date): string[] {
  return harness
    .writesSince(since)
    .map(({ verb, objectRef }) => `${verb} ${objectRef?.resource}/${objectRef?.name}/${objectRef?.subresource ?? ''}`);
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
