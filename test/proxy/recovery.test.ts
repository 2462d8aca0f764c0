import { ask } from '../lab/ask.ts';
import { FAULTS } from '../lab/faults.ts';
import { type Stage, startProxy } from './start-proxy.ts';

/** The promise: a target that came back is found within this time, however long it was down. */
const FOUND_WITHIN_MS = 15_000;
const PAUSE_MS = 100;

let stage: Stage;
afterEach(() => stage?.stop());

const pause = () => new Promise((resolve) => setTimeout(resolve, PAUSE_MS));

/** Asks again and again until the target answers; throws when that takes too long. */
async function untilAnswerOf(target: string): Promise<void> {
  const deadline = AbortSignal.timeout(FOUND_WITHIN_MS);
  for (;;) {
    const { headers, error } = await ask(stage.client);
    if (error === undefined && headers?.get('x-understudy-target') === target) return;
    deadline.throwIfAborted();
    await pause();
  }
}

async function askTimes(times: number): Promise<void> {
  for (let index = 0; index < times; index++) await ask(stage.client);
}

describe('a target that comes back', () => {
  it('is found again by the traffic while another one answers', async () => {
    stage = await startProxy();
    await stage.primary.setFault({ kind: 'refuse' });
    await askTimes(30);
    const down = stage.proxy.report().targets.find(({ id }) => id === 'primary/lab/gpt-4o');
    expect(down).toMatchObject({ health: 'Down' });
    await stage.primary.setFault(undefined);
    await untilAnswerOf('primary/lab/gpt-4o');
  });

  it('is asked little while it is down, and never fails a request', async () => {
    stage = await startProxy();
    await stage.primary.setFault(FAULTS['status-500'].fault);
    await askTimes(10);
    const before = stage.primary.counters.requests;
    for (let index = 0; index < 50; index++) expect((await ask(stage.client)).error).toBeUndefined();
    expect(stage.primary.counters.requests - before).toBeLessThan(10);
  });

  it('answers at once when all were down and it is the only one back', async () => {
    stage = await startProxy({ labs: [{ name: 'primary' }, { name: 'secondary' }, { name: 'tertiary' }] });
    for (const lab of Object.values(stage.labs)) await lab.setFault({ kind: 'refuse' });
    await askTimes(40);
    const report = stage.proxy.report();
    expect(report.targets.map(({ health }) => health)).toEqual(['Down', 'Down', 'Down']);
    await stage.secondary.setFault(undefined);
    await untilAnswerOf('secondary/lab/secondary-model');
    await stage.primary.setFault(undefined);
    await untilAnswerOf('primary/lab/gpt-4o');
  });

  it('is healthy again in the report, and the failover has its return', async () => {
    stage = await startProxy();
    await stage.primary.setFault({ kind: 'reset' });
    await askTimes(20);
    expect(stage.proxy.report().routes[0]).toMatchObject({ active: 'secondary/lab/secondary-model', failovers: 1 });
    await stage.primary.setFault(undefined);
    const deadline = AbortSignal.timeout(2 * FOUND_WITHIN_MS);
    while (stage.proxy.report().routes[0]?.reason !== 'PrimaryHealthy') {
      deadline.throwIfAborted();
      await ask(stage.client);
    }
    const report = stage.proxy.report();
    expect(report.routes[0]).toMatchObject({ active: 'primary/lab/gpt-4o', failovers: 1 });
    expect(report.failovers[0]).toMatchObject({
      from: 'primary/lab/gpt-4o',
      to: 'secondary/lab/secondary-model',
      returned: expect.any(String),
    });
  });

  it('that restarted between two requests costs neither of them anything', async () => {
    stage = await startProxy();
    for (const stream of [false, true, false, true]) {
      const { headers, error } = await ask(stage.client, { stream });
      expect(error).toBeUndefined();
      expect(headers?.get('x-understudy-target')).toBe('primary/lab/gpt-4o');
      // The connection that the proxy keeps is closed behind its back.
      await stage.primary.setFault({ kind: 'refuse' });
      await stage.primary.setFault(undefined);
    }
    expect(stage.secondary.requests).toEqual([]);
  });
});
