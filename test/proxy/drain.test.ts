import { ask } from '../lab/ask.ts';
import { sayText } from '../lab/chat-answer.ts';
import { rawExchange } from '../lab/raw-exchange.ts';
import { type Stage, startProxy } from './start-proxy.ts';

let stage: Stage;
afterEach(() => stage?.stop());

const GRACE_MS = 20_000;
const readiness = async () => (await fetch(`${stage.adminURL}/readyz`)).status;

describe('a proxy that is told to go', () => {
  it('is not ready any more, finishes what runs, and then takes nothing', async () => {
    stage = await startProxy();
    expect(await readiness()).toBe(200);
    await stage.primary.setFault({ kind: 'drip', everyMs: 60 });
    const running = [ask(stage.client, { stream: true }), ask(stage.client, { stream: false })];
    await stage.primary.waitForRequest(({ number }) => number === 2);
    const gone = stage.proxy.drain(GRACE_MS);
    expect(await readiness()).toBe(503);
    for (const { text, error } of await Promise.all(running)) {
      expect(error).toBeUndefined();
      expect(text).toBe(sayText('primary', 'gpt-4o', ''));
    }
    await gone;
    expect((await rawExchange({ port: stage.port, method: 'GET', path: '/v1/models' })).ended).toBe('refused');
  });

  it('waits no longer than its grace for what never ends', async () => {
    const long = { firstContent: 40_000, response: 40_000, idle: 40_000, total: 50_000 };
    stage = await startProxy({ routes: [{ timeouts: long }] });
    await stage.primary.setFault({ kind: 'stall', afterChunks: 3 });
    const running = ask(stage.client, { stream: true, timeoutMs: 40_000 });
    await stage.primary.waitForRequest(() => true);
    await stage.proxy.drain(300);
    const { error, finishReason } = await running;
    expect(error).toBeDefined();
    expect(finishReason).toBeUndefined();
    await stage.primary.waitForRequest(({ outcome }) => outcome === 'clientGone');
  });

  it('may be told twice', async () => {
    stage = await startProxy();
    await Promise.all([stage.proxy.drain(1_000), stage.proxy.drain(1_000)]);
    await stage.proxy.drain(0);
  });

  it('tells its health and its metrics on the admin address', async () => {
    stage = await startProxy();
    expect((await fetch(`${stage.adminURL}/healthz`)).status).toBe(200);
    const metrics = await (await fetch(`${stage.adminURL}/metrics`)).text();
    expect(metrics).toMatch(/^# HELP understudy_/m);
  });
});
