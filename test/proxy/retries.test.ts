import { ask } from '../lab/ask.ts';
import { FAULTS, type FaultName } from '../lab/faults.ts';
import { type Stage, startProxy } from './start-proxy.ts';

let stage: Stage;
afterEach(() => stage?.stop());

const ways = [{ stream: false }, { stream: true }];
const PRIMARY = 'primary/lab/gpt-4o';
const SECONDARY = 'secondary/lab/secondary-model';

describe('a second try at the same target', () => {
  it.each(
    (['status-500', 'status-502', 'overloaded', 'status-524', 'reset'] satisfies FaultName[]).flatMap((name) =>
      ways.map((way) => ({ ...way, name })),
    ),
  )('follows a single $name, stream: $stream', async ({ name, stream }) => {
    stage = await startProxy();
    await stage.primary.setFault(FAULTS[name].fault, { first: 1 });
    const { error, headers } = await ask(stage.client, { stream });
    expect(error).toBeUndefined();
    expect(headers?.get('x-understudy-target')).toBe(PRIMARY);
    expect(headers?.get('x-understudy-attempts')).toBe('2');
    expect(stage.secondary.requests).toEqual([]);
  });

  it.each(
    (
      [
        'hang',
        'headers-then-nothing',
        'role-only',
        'rate-limit',
        'invalid-key',
        'model-not-found',
        'insufficient-quota',
      ] satisfies FaultName[]
    ).flatMap((name) => ways.map((way) => ({ ...way, name }))),
  )('never follows $name, stream: $stream', async ({ name, stream }) => {
    stage = await startProxy();
    await stage.primary.setFault(FAULTS[name].fault, { first: 1 });
    const { error, headers } = await ask(stage.client, { stream });
    expect(error).toBeUndefined();
    expect(headers?.get('x-understudy-target')).toBe(SECONDARY);
    expect(stage.primary.requests).toHaveLength(1);
  });

  it('is made once, and not at all where the route says so', async () => {
    stage = await startProxy();
    await stage.primary.setFault(FAULTS['status-500'].fault);
    await ask(stage.client);
    expect(stage.primary.requests).toHaveLength(2);
    stage.apply([{ retries: { sameTarget: 0 } }]);
    await ask(stage.client);
    expect(stage.primary.requests).toHaveLength(3);
  });

  it('is not made while the target is known to be down', async () => {
    stage = await startProxy();
    await stage.primary.setFault(FAULTS['status-500'].fault);
    while (stage.proxy.report().targets.find(({ id }) => id === PRIMARY)?.health !== 'Down') await ask(stage.client);
    const before = stage.primary.counters.requests;
    const times = 10;
    for (let index = 0; index < times; index++) await ask(stage.client);
    // Trials only, and each of them once.
    expect(stage.primary.counters.requests - before).toBeLessThan(times);
  });

  it('is paid from a budget: an outage under load is not doubled', async () => {
    const chain = [
      { lab: 'primary', model: 'gpt-4o' },
      { lab: 'secondary', model: 'secondary-model' },
    ];
    stage = await startProxy({ routes: [{ chain, retries: { budgetPercent: 0 } }] });
    // Half of the requests fail, so that the target is not soon known to be down.
    await stage.primary.setFault(FAULTS['status-500'].fault, { rate: 0.3 });
    const times = 20;
    for (let index = 0; index < times; index++) expect((await ask(stage.client)).error).toBeUndefined();
    // Three are always allowed.
    expect(stage.primary.counters.requests).toBeLessThanOrEqual(times + 3);
  });

  it('never costs a target further down the chain its first one', async () => {
    const regions = ['us', 'eu'].map((region) => ({ lab: 'primary', region, model: 'gpt-4o' }));
    stage = await startProxy({ routes: [{ chain: [...regions, { lab: 'secondary', model: 'secondary-model' }] }] });
    await stage.primary.setFault(FAULTS['status-500'].fault);
    const { error, headers } = await ask(stage.client);
    expect(error).toBeUndefined();
    expect(headers?.get('x-understudy-target')).toBe(SECONDARY);
    expect(headers?.get('x-understudy-attempts')).toBe('4');
  });

  it('of a quarter of errors the client sees none', async () => {
    stage = await startProxy();
    const { fault, match } = FAULTS['error-rate-25'];
    await stage.primary.setFault(fault, match);
    for (let index = 0; index < 60; index++) expect((await ask(stage.client, { stream: index % 2 === 0 })).error).toBeUndefined();
  });
});
