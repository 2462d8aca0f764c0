import { ask } from '../lab/ask.ts';
import { FAULTS } from '../lab/faults.ts';
import { type Stage, startProxy } from './start-proxy.ts';

let stage: Stage;
afterEach(() => stage?.stop());

const metrics = async () => (await fetch(`${stage.adminURL}/metrics`)).text();
const lines = async (pattern: RegExp) =>
  (await metrics()).split('\n').filter((line) => !line.startsWith('#') && pattern.test(line));
const sum = async (pattern: RegExp) => (await lines(pattern)).reduce((total, line) => total + Number(line.split(' ').at(-1)), 0);

describe('the metrics', () => {
  it('count requests, attempts by class and failovers, and time the first token', async () => {
    stage = await startProxy();
    await ask(stage.client, { stream: true });
    await stage.primary.setFault(FAULTS['status-500'].fault);
    for (let index = 0; index < 10; index++) await ask(stage.client);
    expect(await sum(/^understudy_requests_total\{.*route="route-0"/)).toBe(11);
    expect(await sum(/^understudy_attempts_total\{.*primary\/lab\/gpt-4o.*Transport/)).toBeGreaterThanOrEqual(4);
    expect(await sum(/^understudy_attempts_total\{.*secondary\/lab\/secondary-model.*Success/)).toBe(10);
    expect(await sum(/^understudy_failovers_total\{.*route="route-0"/)).toBe(1);
    expect(await sum(/^understudy_first_token_seconds_count\{.*primary\/lab\/gpt-4o/)).toBe(1);
  });

  it('count the requests that run, and forget them when they end', async () => {
    const long = { firstContent: 40_000, response: 40_000, idle: 40_000, total: 50_000 };
    stage = await startProxy({ routes: [{ timeouts: long }] });
    await stage.primary.setFault({ kind: 'stall', afterChunks: 2 });
    const leaving = new AbortController();
    const running = Array.from({ length: 3 }, () =>
      ask(stage.client, { stream: true, signal: leaving.signal, timeoutMs: 40_000 }),
    );
    await stage.primary.waitForRequest(({ number }) => number === 3);
    expect(await sum(/^understudy_open_requests /)).toBe(3);
    const begun = AbortSignal.timeout(10_000);
    while ((await sum(/^understudy_open_streams /)) !== 3) begun.throwIfAborted();
    leaving.abort();
    await Promise.all(running);
    const deadline = AbortSignal.timeout(10_000);
    while ((await sum(/^understudy_open_(requests|streams) /)) !== 0) deadline.throwIfAborted();
  });

  it('do not grow with the names that clients make up', async () => {
    stage = await startProxy();
    await ask(stage.client);
    const before = (await metrics()).split('\n').length;
    for (let index = 0; index < 50; index++) await ask(stage.client, { model: `made-up-${index}` });
    expect((await metrics()).split('\n').length).toBeLessThan(before + 10);
    expect(await metrics()).not.toContain('made-up-7');
  });
});
