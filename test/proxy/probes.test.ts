import { ask } from '../lab/ask.ts';
import type { Lab } from '../lab/lab.ts';
import { type Stage, startProxy } from './start-proxy.ts';

let stage: Stage;
afterEach(() => stage?.stop());

const INTERVAL_MS = 1_000;
const LIVENESS_MS = 20_000;
const PRIMARY = 'primary/lab/gpt-4o';
const probe = { interval: INTERVAL_MS, timeout: 400, model: 'gpt-4o' };
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const probesOf = (lab: Lab) => lab.requests.filter(({ headers }) => headers['user-agent'] === 'understudy-probe');
const targetOf = (id: string) => stage.proxy.report().targets.find((target) => target.id === id);

async function start(): Promise<void> {
  const chain = [
    { lab: 'primary', model: 'gpt-4o', probe },
    { lab: 'secondary', model: 'b' },
  ];
  stage = await startProxy({ routes: [{ chain }] });
}

async function untilHealth(health: string): Promise<void> {
  const deadline = AbortSignal.timeout(LIVENESS_MS);
  while (targetOf(PRIMARY)?.health !== health) {
    deadline.throwIfAborted();
    await pause(50);
  }
}

describe('a probe', () => {
  it('is a real, tiny completion, and makes an unknown target a healthy one without any traffic', async () => {
    await start();
    expect(targetOf(PRIMARY)?.health).toBe('Unknown');
    await untilHealth('Healthy');
    const [asked] = probesOf(stage.primary);
    expect(asked).toMatchObject({ path: '/v1/chat/completions', model: 'gpt-4o', status: 200 });
    expect(asked!.body.length).toBeLessThan(200);
    expect(targetOf(PRIMARY)?.probe).toMatchObject({ outcome: 'Succeeded', latency: expect.any(Number) });
    expect(stage.secondary.requests).toEqual([]);
  });

  it('comes at its interval, and no more often', async () => {
    await start();
    await stage.primary.waitForRequest(({ number }) => number === 4, LIVENESS_MS);
    const times = stage.primary.requests.map(({ time }) => time);
    for (const [index, time] of times.slice(1).entries()) expect(time - times[index]!).toBeGreaterThan(INTERVAL_MS / 2);
  });

  it('does not take itself for traffic: each one is made, however long it takes', async () => {
    await start();
    await stage.primary.setFault({ kind: 'slowFirstToken', delayMs: 300 });
    await stage.primary.waitForRequest(({ number }) => number === 3, LIVENESS_MS);
    const times = stage.primary.requests.map(({ time }) => time);
    expect(times[2]! - times[0]!).toBeLessThan(3.5 * INTERVAL_MS);
  });

  it('finds a target that is back though it answers slowly', async () => {
    const slow = { interval: 60_000, timeout: 10_000, model: 'other' };
    const chain = [
      { lab: 'primary', model: 'gpt-4o', probe: slow },
      { lab: 'secondary', model: 'b' },
    ];
    stage = await startProxy({ routes: [{ chain }] });
    await stage.primary.setFault({ kind: 'refuse' });
    while (targetOf(PRIMARY)?.health !== 'Down') await ask(stage.client);
    await stage.primary.setFault({ kind: 'slowFirstToken', delayMs: 6_000 });
    await untilHealth('Recovering');
  });

  it('does not ask again and again what is cooling down', async () => {
    await start();
    await untilHealth('Healthy');
    await stage.primary.setFault({ kind: 'reset' });
    await untilHealth('Down');
    const body = '{"error":{"message":"no","type":"requests","code":"rate_limit_exceeded"}}';
    const headers = { 'retry-after': '30' };
    await stage.primary.setFault({ kind: 'status', status: 429, contentType: 'application/json', headers, body });
    await untilHealth('Degraded');
    const before = stage.primary.counters.requests;
    await pause(4 * INTERVAL_MS);
    // Those at the interval go on, with one at most that was under way.
    expect(stage.primary.counters.requests - before).toBeLessThanOrEqual(5);
  });

  it('is left out while traffic tells the same', async () => {
    await start();
    await ask(stage.client);
    const end = Date.now() + 3.5 * INTERVAL_MS;
    while (Date.now() < end) {
      await ask(stage.client);
      await pause(100);
    }
    expect(probesOf(stage.primary)).toEqual([]);
    expect(stage.primary.requests.length).toBeGreaterThan(5);
  });

  it("is left out while another replica's is fresh", async () => {
    await start();
    const end = Date.now() + 3.5 * INTERVAL_MS;
    while (Date.now() < end) {
      const time = new Date().toISOString();
      const seen = {
        id: PRIMARY,
        health: 'Healthy',
        reason: 'WithinBaseline',
        since: time,
        probe: { time, outcome: 'Succeeded' },
      } as const;
      stage.proxy.adoptView({ time, proxies: 1, targets: [seen] });
      await pause(50);
    }
    expect(probesOf(stage.primary)).toEqual([]);
  });

  it.each(['hang', 'reset'] as const)(
    'finds a target that broke (%s) before a client does, and that it is back',
    async (kind) => {
      await start();
      await untilHealth('Healthy');
      await stage.primary.setFault({ kind });
      await untilHealth('Down');
      expect(targetOf(PRIMARY)?.probe).toMatchObject({ outcome: 'Failed', message: expect.any(String) });
      const asked = await ask(stage.client);
      expect(asked.headers?.get('x-understudy-target')).toBe('secondary/lab/b');
      expect(asked.headers?.get('x-understudy-attempts')).toBe('1');
      await stage.primary.setFault(undefined);
      const deadline = AbortSignal.timeout(LIVENESS_MS);
      while (targetOf(PRIMARY)?.health === 'Down') {
        deadline.throwIfAborted();
        await pause(50);
      }
      expect(probesOf(stage.primary).length).toBe(stage.primary.requests.length);
    },
  );

  it('ends with the config that asked for it', async () => {
    await start();
    await untilHealth('Healthy');
    stage.apply([{ chain: [{ lab: 'secondary', model: 'b' }] }]);
    // One may be under way.
    await pause(200);
    const before = stage.primary.counters.requests;
    await pause(2.5 * INTERVAL_MS);
    expect(stage.primary.counters.requests).toBe(before);
  });
});
