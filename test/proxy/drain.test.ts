import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { ask } from '../lab/ask.ts';
import { sayText } from '../lab/chat-answer.ts';
import { bodyOf, rawExchange } from '../lab/raw-exchange.ts';
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

  it('answers on connections that clients have kept, and sends them elsewhere with that answer', async () => {
    stage = await startProxy();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    expect(await listModels(agent)).toEqual({ status: 200, connection: 'keep-alive' });
    const gone = stage.proxy.drain(GRACE_MS);
    expect(await listModels(agent)).toEqual({ status: 200, connection: 'close' });
    await gone;
    agent.destroy();
  });

  it('ends a connection behind the answer that was under way', async () => {
    stage = await startProxy();
    await stage.primary.setFault({ kind: 'drip', everyMs: 60 });
    const body = JSON.stringify({ model: 'gpt-4o', stream: true, messages: [{ role: 'user', content: 'Who are you?' }] });
    const headers = { 'content-type': 'application/json', connection: 'keep-alive' };
    // A quiet time that is shorter than the time for which a drain leaves idle connections alone.
    const running = rawExchange({ port: stage.port, body, headers, quietMs: 2_500 });
    await stage.primary.waitForRequest(() => true);
    // It has begun, and is far from its end.
    await new Promise((resolve) => setTimeout(resolve, 300));
    const gone = stage.proxy.drain(GRACE_MS);
    const seen = await running;
    expect(bodyOf(seen)).toContain('[DONE]');
    expect(seen.ended).toBe('end');
    await gone;
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

async function listModels(agent: Agent): Promise<{ status: number | undefined; connection: string | undefined }> {
  const sent = request({ agent, host: '127.0.0.1', port: stage.port, path: '/v1/models' });
  sent.end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  response.resume();
  await once(response, 'end');
  return { status: response.statusCode, connection: response.headers.connection };
}
