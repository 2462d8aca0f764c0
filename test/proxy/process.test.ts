import OpenAI from 'openai';
import { ask } from '../lab/ask.ts';
import { sayText } from '../lab/chat-answer.ts';
import { createLab, type Lab } from '../lab/lab.ts';
import { APPLICATION_KEY, configOf, keyOf } from './start-proxy.ts';
import { type ProxyProcess, startProxyProcess } from './start-proxy-process.ts';

let labs: { primary: Lab; secondary: Lab };
let proxy: ProxyProcess | undefined;
let client: OpenAI;

beforeEach(async () => {
  labs = { primary: createLab({ name: 'primary' }), secondary: createLab({ name: 'secondary' }) };
  await Promise.all(Object.values(labs).map((lab) => lab.start()));
});
afterEach(async () => {
  const logs = proxy?.logs() ?? '';
  await proxy?.remove();
  await Promise.all(Object.values(labs).map((lab) => lab.stop()));
  for (const key of [keyOf('primary'), keyOf('secondary'), APPLICATION_KEY]) expect(logs).not.toContain(key);
});

async function start(drain?: string): Promise<ProxyProcess> {
  proxy = await startProxyProcess(configOf(labs, [{}]), drain);
  client = new OpenAI({ baseURL: proxy.baseURL, apiKey: APPLICATION_KEY, maxRetries: 0, logLevel: 'off' });
  return proxy;
}

describe('a proxy in a process of its own, its operator away', () => {
  it('serves the config it finds, with the keys it finds, and fails over', async () => {
    await start();
    expect((await ask(client)).text).toBe(sayText('primary', 'gpt-4o', ''));
    expect(labs.primary.requests[0]?.key).toBe(keyOf('primary'));
    await labs.primary.setFault({ kind: 'refuse' });
    for (const stream of [false, true]) {
      expect((await ask(client, { stream })).text).toBe(sayText('secondary', 'secondary-model', ''));
    }
  });

  it('on SIGTERM is not ready, finishes the streams that run, and ends well', async () => {
    const { child, adminURL, exit } = await start();
    await labs.primary.setFault({ kind: 'drip', everyMs: 100 });
    const running = [ask(client, { stream: true }), ask(client, { stream: true }), ask(client)];
    await labs.primary.waitForRequest(({ number }) => number === 3);
    child.kill('SIGTERM');
    const deadline = AbortSignal.timeout(10_000);
    while ((await fetch(`${adminURL}/readyz`)).status !== 503) deadline.throwIfAborted();
    for (const { text, error } of await Promise.all(running)) {
      expect(error).toBeUndefined();
      expect(text).toBe(sayText('primary', 'gpt-4o', ''));
    }
    expect(await exit).toBe(0);
  });

  it('on SIGTERM ends after its grace, whatever still hangs, and never with a whole-looking stream', async () => {
    const { child, exit } = await start('300ms');
    await labs.primary.setFault({ kind: 'drip', everyMs: 400 });
    const running = ask(client, { stream: true });
    await labs.primary.waitForRequest(() => true);
    child.kill('SIGTERM');
    const { error, finishReason } = await running;
    expect(error).toBeDefined();
    expect(finishReason).toBeUndefined();
    expect(await exit).toBe(0);
  });
});
