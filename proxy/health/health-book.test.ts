import type { FailoverRecord, FleetView } from '../../contract/fleet.ts';
import type { RuntimeConfig } from '../../contract/runtime-config.ts';
import { HealthBook } from './health-book.ts';
import { RECOVERY_STEP_INTERVAL } from './target-health.ts';

const START = Date.parse('2026-11-23T10:00:00Z');
const A = 'openai/us/gpt';
const B = 'anthropic/global/claude';
const C = 'vllm/local/llama';

function config(changes: { baseURL?: string; weights?: number[] } = {}): RuntimeConfig {
  const ids = [A, B, C];
  const names = ids.map((id) => id.split('/') as [string, string, string]);
  return {
    version: 1,
    namespace: 'sales',
    revision: 'r1',
    endpoints: names.map(([name, region]) => ({
      name,
      provider: 'OpenAICompatible',
      failureDomain: name,
      regions: [{ name: region, baseURL: changes.baseURL ?? `http://${name}/v1` }],
    })),
    routes: [
      {
        name: 'chat',
        generation: 1,
        models: ['m'],
        targets: names.map(([endpoint, region, model], entry) => ({
          id: ids[entry] as string,
          endpoint,
          region,
          model,
          step: changes.weights === undefined ? entry : Number(entry >= changes.weights.length),
          entry,
          weight: changes.weights?.[entry] ?? 1,
        })),
        timeouts: { connect: 1_000, firstContent: 1_000, idle: 1_000, total: 5_000 },
        retries: { maxAttempts: 4, sameTarget: 1, budgetPercent: 20, waitUpTo: 0 },
        streaming: { commit: 'FirstContent', afterCommit: 'Error' },
      },
    ],
  };
}

/** A book with a clock that only moves when it is told to. */
function openBook(first = config()) {
  let now = START;
  const failovers: FailoverRecord[] = [];
  const book = new HealthBook(() => now, {
    onTransition(_, failover) {
      if (failover !== undefined) failovers.push(failover);
    },
  });
  book.configure(first);
  const route = () => [...book.routes()][0]?.report(now);
  return {
    book,
    failovers,
    route,
    shares: () => Object.fromEntries((route()?.shares ?? []).map(({ target, share }) => [target, share])),
    pass: (milliseconds: number) => {
      now += milliseconds;
      book.refresh();
    },
    fail: (id: string, times = 4) => {
      for (let count = 0; count < times; count += 1)
        book.observe(book.target(id), { kind: 'failure', startedAt: now, summary: '503' });
    },
    succeed: (id: string) => book.observe(book.target(id), { kind: 'success', startedAt: now }),
    recover(id: string) {
      now += 10_000;
      for (let step = 0; step < 6; step += 1) {
        book.observe(book.target(id), { kind: 'success', startedAt: now });
        now += RECOVERY_STEP_INTERVAL;
      }
    },
  };
}

it('a probe that another proxy left out is not one that it made', () => {
  const { book } = openBook();
  const seen = { id: A, health: 'Healthy', reason: 'WithinBaseline', since: '2026-11-23T10:00:00.000Z' } as const;
  const adopt = (outcome: 'Skipped' | 'Succeeded') => {
    const time = '2026-11-23T10:00:01.000Z';
    book.adopt({ time, proxies: 1, targets: [{ ...seen, probe: { time, outcome } }] });
    return book.target(A).fleetProbe;
  };
  expect(adopt('Skipped')).toBeUndefined();
  expect(adopt('Succeeded')).toBe('2026-11-23T10:00:01.000Z');
});

describe('a key that changes', () => {
  it('is not blamed for a refusal of the one before, which was still under way', () => {
    const { book, pass } = openBook();
    const asked = START;
    pass(1_000);
    book.forgetRefusals();
    pass(1_000);
    book.observe(book.target(A), { kind: 'refusal', startedAt: asked, reason: 'CredentialsRefused' });
    expect(book.target(A).isOpen(START + 2_000)).toBe(true);
    book.observe(book.target(A), { kind: 'refusal', startedAt: START + 1_500, reason: 'CredentialsRefused' });
    expect(book.target(A).isOpen(START + 2_000)).toBe(false);
  });
});

describe('a route tells who is on stage', () => {
  it('the one that answers again, when no other does', () => {
    const { route, fail, succeed, pass, shares } = openBook();
    for (const id of [A, B, C]) fail(id);
    expect(route()).toMatchObject({ active: A, reason: 'Panic' });
    pass(1_000);
    succeed(B);
    expect(route()).toMatchObject({ active: B, reason: 'PrimaryDown' });
    expect(shares()).toEqual({ [A]: 0, [B]: 100, [C]: 0 });
  });

  it('the first of the chain, without traffic, then with it', () => {
    const { route, succeed, shares } = openBook();
    expect(route()).toMatchObject({ active: A, reason: 'NoTraffic' });
    succeed(A);
    expect(route()).toMatchObject({ active: A, reason: 'PrimaryHealthy', failovers: 0 });
    expect(shares()).toEqual({ [A]: 100, [B]: 0, [C]: 0 });
  });

  it('the next one when the first goes down, with the evidence', () => {
    const { route, fail, pass, failovers, shares } = openBook();
    fail(A, 3);
    pass(2_000);
    fail(A, 1);
    expect(route()).toMatchObject({ active: B, reason: 'PrimaryDown', since: '2026-11-23T10:00:02.000Z', failovers: 1 });
    expect(failovers).toMatchObject([
      { from: A, to: B, reason: 'ConsecutiveFailures', evidence: '4 failures in a row, last: 503', detectedIn: 2_000 },
    ]);
    expect(shares()).toEqual({ [A]: 0, [B]: 100, [C]: 0 });
  });

  it('the next one when the first cools down, without a time to detect it that was another failure’s', () => {
    const { book, fail, succeed, pass, failovers } = openBook();
    fail(A, 1);
    succeed(A);
    pass(60_000);
    book.observe(book.target(A), { kind: 'rateLimit', startedAt: START + 60_000, retryAfterMs: 5_000 });
    expect(failovers).toMatchObject([{ from: A, to: B, reason: 'RateLimited' }]);
    expect(failovers[0]).not.toHaveProperty('detectedIn');
  });

  it('the first again when it has recovered, by steps of share', () => {
    const { route, fail, succeed, pass, recover, failovers, shares } = openBook();
    fail(A);
    pass(1_000);
    succeed(A);
    expect(route()).toMatchObject({ active: B, reason: 'Recovering' });
    expect(shares()).toEqual({ [A]: 5, [B]: 95, [C]: 0 });
    recover(A);
    expect(route()).toMatchObject({ active: A, reason: 'PrimaryHealthy', failovers: 1 });
    expect(failovers.at(-1)).toMatchObject({ from: A, to: B, returned: expect.any(String) });
  });

  it('the first of the chain when all look bad: panic', () => {
    const { route, fail, shares } = openBook();
    for (const id of [A, B, C]) fail(id);
    expect(route()).toMatchObject({ active: A, reason: 'Panic' });
    expect(shares()).toEqual({ [A]: 100, [B]: 0, [C]: 0 });
  });

  it('shares by weight within a step, over those that are open', () => {
    const { shares, fail } = openBook(config({ weights: [75, 25] }));
    expect(shares()).toEqual({ [A]: 75, [B]: 25, [C]: 0 });
    fail(A);
    expect(shares()).toEqual({ [A]: 0, [B]: 100, [C]: 0 });
  });

  it('a cooldown by its reason, and its end by time alone', () => {
    const { book, route, pass } = openBook();
    book.observe(book.target(A), { kind: 'rateLimit', startedAt: START, retryAfterMs: 2_000 });
    expect(route()).toMatchObject({ active: B, reason: 'PrimaryCoolingDown' });
    pass(2_001);
    expect(route()).toMatchObject({ active: A });
  });
});

describe('failovers are told until they are acknowledged, and their end too', () => {
  it('tells the return of one that was acknowledged long ago', () => {
    const { book, fail, recover } = openBook();
    fail(A);
    const [ledger] = [...book.routes()];
    const [told] = ledger?.records() ?? [];
    ledger?.forget(new Set([told?.id as string]));
    expect(ledger?.records()).toEqual([]);
    recover(A);
    expect(ledger?.records()).toMatchObject([{ from: A, to: B, returned: expect.any(String) }]);
  });

  it('ends every hop of a chain when the first target is back', () => {
    const { book, fail, recover, succeed } = openBook();
    fail(A);
    fail(B);
    succeed(C);
    recover(A);
    const records = [...book.routes()][0]?.records() ?? [];
    expect(records.map(({ from, returned }) => [from, returned !== undefined])).toEqual([
      [A, true],
      [B, true],
    ]);
  });
});

describe('a change of config', () => {
  it('keeps what was learned of a target that stays what it was', () => {
    const { book, fail, route } = openBook();
    fail(A);
    book.configure({ ...config(), revision: 'r2' });
    expect(route()).toMatchObject({ active: B, failovers: 1 });
  });

  it('forgets what was learned of another address', () => {
    const { book, fail, route } = openBook();
    fail(A);
    book.configure(config({ baseURL: 'http://elsewhere/v1' }));
    expect(book.target(A).state.verdict.health).toBe('Unknown');
    expect(route()?.active).toBe(A);
  });

  it('forgets routes and targets that are gone', () => {
    const { book } = openBook();
    book.configure({ ...config(), routes: [], endpoints: [] });
    expect([...book.targets()]).toEqual([]);
    expect([...book.routes()]).toEqual([]);
  });
});

describe('what other proxies know', () => {
  const view = (health: 'Down' | 'Healthy', seconds: number, more: object = {}): FleetView => ({
    time: new Date(START + seconds * 1_000).toISOString(),
    proxies: 2,
    targets: [
      {
        id: A,
        health,
        reason: health === 'Down' ? 'ErrorRate' : 'WithinBaseline',
        since: new Date(START + seconds * 1_000).toISOString(),
        ...more,
      },
    ],
  });

  it('is believed until an answer of our own contradicts it', () => {
    const { book, route, succeed, pass } = openBook();
    pass(5_000);
    book.adopt(view('Down', 5));
    expect(route()).toMatchObject({ active: B });
    expect(book.target(A).health(START + 5_000)).toEqual({ health: 'Down', reason: 'ReportedByFleet' });
    const other = openBook();
    other.pass(6_000);
    other.succeed(A);
    other.book.adopt(view('Down', 5));
    expect(other.route()).toMatchObject({ active: A });
    succeed(A);
  });

  it('lets a target be tried at once that answers them', () => {
    const { book, fail, pass } = openBook();
    fail(A);
    pass(100);
    expect(book.target(A).admit(START + 100, () => 0)).toBe(false);
    book.adopt(view('Healthy', 0, { lastSuccess: new Date(START + 90).toISOString() }));
    expect(book.target(A).admit(START + 100, () => 0)).toBe(true);
  });
});

describe('a key that may have changed', () => {
  it('ends refusals and leaves rate limits', () => {
    const { book, route } = openBook();
    book.observe(book.target(A), { kind: 'refusal', startedAt: START, reason: 'CredentialsRefused' });
    book.observe(book.target(B), { kind: 'rateLimit', startedAt: START });
    expect(route()?.active).toBe(C);
    book.forgetRefusals();
    expect(route()?.active).toBe(A);
    expect(book.target(B).isOpen(START)).toBe(false);
  });
});
