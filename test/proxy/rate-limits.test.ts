import { ask } from '../lab/ask.ts';
import { FAULTS, rateLimit } from '../lab/faults.ts';
import { type Stage, startProxy } from './start-proxy.ts';

let stage: Stage;
afterEach(() => stage?.stop());

const ways = [{ stream: false }, { stream: true }];
const PRIMARY = 'primary/lab/gpt-4o';
const SECONDARY = 'secondary/lab/secondary-model';
const targetOf = async (stream = false, model = 'gpt-4o') =>
  (await ask(stage.client, { stream, model })).headers?.get('x-understudy-target');

describe('a rate limit', () => {
  it.each(ways)('moves on to the next target at once, stream: $stream', async ({ stream }) => {
    stage = await startProxy();
    await stage.primary.setFault(FAULTS['rate-limit'].fault);
    const seen = await ask(stage.client, { stream });
    expect(seen.headers?.get('x-understudy-target')).toBe(SECONDARY);
    expect(seen.headers?.get('x-understudy-attempts')).toBe('2');
    expect(stage.primary.requests).toHaveLength(1);
  });

  it('leaves the target alone until its Retry-After, and then asks it again', async () => {
    stage = await startProxy();
    await stage.primary.setFault(rateLimit({ 'retry-after': '2' }), { first: 1 });
    expect(await targetOf()).toBe(SECONDARY);
    expect(await targetOf()).toBe(SECONDARY);
    expect(stage.primary.requests).toHaveLength(1);
    const deadline = AbortSignal.timeout(15_000);
    while ((await targetOf()) !== PRIMARY) {
      deadline.throwIfAborted();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(stage.primary.requests).toHaveLength(2);
  });

  it('is a cooldown in the report, and not an illness', async () => {
    stage = await startProxy();
    await targetOf();
    await stage.primary.setFault(rateLimit({ 'retry-after': '30' }));
    await targetOf();
    const report = stage.proxy.report();
    expect(report.targets.find(({ id }) => id === PRIMARY)).toMatchObject({ reason: 'RateLimited', failures: 0 });
    expect(report.targets.find(({ id }) => id === PRIMARY)?.health).not.toBe('Down');
    expect(report.routes[0]).toMatchObject({ active: SECONDARY, reason: 'PrimaryCoolingDown' });
  });

  it('of one model leaves the other models of the same key alone', async () => {
    stage = await startProxy({
      routes: [
        {
          models: ['gpt-4o'],
          chain: [
            { lab: 'primary', model: 'gpt-4o' },
            { lab: 'secondary', model: 'b' },
          ],
        },
        {
          models: ['gpt-4o-mini'],
          chain: [
            { lab: 'primary', model: 'gpt-4o-mini' },
            { lab: 'secondary', model: 'b' },
          ],
        },
      ],
    });
    await stage.primary.setFault(rateLimit({ 'retry-after': '30' }), { models: ['gpt-4o'] });
    expect(await targetOf(false, 'gpt-4o')).toBe('secondary/lab/b');
    expect(await targetOf(false, 'gpt-4o-mini')).toBe('primary/lab/gpt-4o-mini');
    expect(await targetOf(false, 'gpt-4o')).toBe('secondary/lab/b');
  });

  it.each([
    ...ways.map((way) => ({ ...way, preset: 'rate-limit-ms' as const })),
    { stream: false, preset: 'rate-limit' as const },
  ])('is waited for at the same target as far as the route allows: $preset, stream: $stream', async ({ stream, preset }) => {
    stage = await startProxy({ routes: [{ retries: { waitUpTo: 3_000 } }] });
    await stage.primary.setFault(FAULTS[preset].fault, { first: 1 });
    const seen = await ask(stage.client, { stream });
    expect(seen.headers?.get('x-understudy-target')).toBe(PRIMARY);
    expect(seen.headers?.get('x-understudy-attempts')).toBe('2');
    expect(seen.error).toBeUndefined();
    expect(stage.secondary.requests).toEqual([]);
    const [first, second] = stage.primary.requests;
    // The provider's own clock and ours are the same here: to ask before its time would be refused again.
    expect(second!.time - first!.time).toBeGreaterThanOrEqual(preset === 'rate-limit-ms' ? 290 : 990);
  });

  it('is not waited for when it asks for more than the route allows', async () => {
    stage = await startProxy({ routes: [{ retries: { waitUpTo: 500 } }] });
    await stage.primary.setFault(FAULTS['rate-limit'].fault, { first: 1 });
    expect(await targetOf()).toBe(SECONDARY);
    expect(stage.primary.requests).toHaveLength(1);
  });

  it('that goes on is not waited for without end', async () => {
    stage = await startProxy({ routes: [{ retries: { waitUpTo: 3_000, maxAttempts: 3 } }] });
    await stage.primary.setFault(FAULTS['rate-limit-ms'].fault);
    const seen = await ask(stage.client);
    expect(Number(seen.headers?.get('x-understudy-attempts'))).toBeLessThanOrEqual(3);
    expect(seen.headers?.get('x-understudy-target')).toBe(SECONDARY);
  });

  it('a retry-after on a good answer is none', async () => {
    stage = await startProxy();
    await stage.primary.setFault(FAULTS['retry-after-on-success'].fault);
    expect(await targetOf()).toBe(PRIMARY);
    expect(await targetOf()).toBe(PRIMARY);
  });
});
