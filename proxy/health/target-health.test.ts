import {
  ACCOUNT_COOLDOWN,
  admission,
  CONSECUTIVE_FAILURES,
  LONGEST_HOLD,
  newTargetHealth,
  observe,
  RECOVERY_STEP_INTERVAL,
  type TargetHealth,
} from './target-health.ts';

const fail = (state: TargetHealth, now: number, startedAt = now) =>
  observe(state, { kind: 'failure', startedAt, summary: '503' }, now);
const succeed = (state: TargetHealth, now: number, startedAt = now) => observe(state, { kind: 'success', startedAt }, now);

function down(now = 0): TargetHealth {
  let state = newTargetHealth(0);
  for (let count = 0; count < CONSECUTIVE_FAILURES; count += 1) state = fail(state, now);
  return state;
}

describe('a target goes down', () => {
  it('is unknown until it has answered, and open meanwhile', () => {
    const state = newTargetHealth(0);
    expect(state.verdict.health).toBe('Unknown');
    expect(admission(state, 0).kind).toBe('open');
    expect(succeed(state, 5)).toMatchObject({ verdict: { health: 'Healthy' }, since: 5 });
  });

  it('after four failures in a row, and not after three', () => {
    const three = fail(fail(fail(newTargetHealth(0), 1), 2), 3);
    expect(three.verdict.health).toBe('Unknown');
    expect(fail(three, 4)).toMatchObject({
      verdict: { health: 'Down', reason: 'ConsecutiveFailures' },
      since: 4,
      firstFailureAt: 1,
      evidence: '4 failures in a row, last: 503',
    });
  });

  it('when a quarter of the attempts fails, though never many in a row', () => {
    let state = newTargetHealth(0);
    let attempts = 0;
    while (state.verdict.health !== 'Down') {
      attempts += 1;
      state = attempts % 4 === 0 ? fail(state, attempts) : succeed(state, attempts);
    }
    expect(state.verdict).toMatchObject({ reason: 'ErrorRate' });
    expect(attempts).toBeLessThanOrEqual(30);
  });

  it('is left alone at 2 % of failures', () => {
    let state = newTargetHealth(0);
    for (let attempts = 1; attempts <= 10_000; attempts += 1)
      state = attempts % 50 === 0 ? fail(state, attempts) : succeed(state, attempts);
    expect(state.verdict.health).toBe('Healthy');
  });

  it('costs no new state for a success that tells nothing new', () => {
    const state = succeed(newTargetHealth(0), 1);
    expect(succeed(state, 2)).toBe(state);
  });
});

describe('a target comes back', () => {
  it('is shut while it is held, then open to a trial', () => {
    expect(admission(down(), 999).kind).toBe('shut');
    expect(admission(down(), 1_000).kind).toBe('trial');
  });

  it('by steps of share, one at each success that comes long enough after the last', () => {
    let state = succeed(down(), 1_000);
    const shares: unknown[] = [];
    for (let now = 1_000; state.verdict.health === 'Recovering'; now += RECOVERY_STEP_INTERVAL) {
      const admitted = admission(state, now);
      shares.push(admitted.kind === 'share' && admitted.percent);
      state = succeed(state, now + RECOVERY_STEP_INTERVAL);
    }
    expect(shares).toEqual([5, 10, 25, 50]);
    expect(state.verdict.health).toBe('Healthy');
  });

  it('is found within 15 s however long it was down', () => {
    let state = down();
    let now = 0;
    for (let trial = 0; trial < 50; trial += 1) {
      now = (state.verdict as { holdUntil: number }).holdUntil;
      state = fail(state, now);
      expect((state.verdict as { holdUntil: number }).holdUntil - now).toBeLessThanOrEqual(LONGEST_HOLD);
    }
    expect(LONGEST_HOLD + 4 * (1_000 + RECOVERY_STEP_INTERVAL)).toBeLessThan(15_000);
  });

  it('goes down again when it fails while it recovers, and is held longer', () => {
    const relapsed = fail(succeed(down(), 1_000), 1_100);
    expect(relapsed.verdict).toEqual({ health: 'Down', reason: 'ConsecutiveFailures', holdUntil: 1_100 + 2_000 });
  });

  it('does not believe an answer that was asked for before it went down', () => {
    expect(succeed(down(10), 20, 5).verdict.health).toBe('Down');
  });

  it('does not fall for a failure that began before it recovered', () => {
    expect(fail(succeed(down(), 1_000), 1_100, 500).verdict.health).toBe('Recovering');
  });

  it('is not taken down again by those that still hung from before it came back', () => {
    let state = succeed(down(), 1_000);
    for (let now = 1_500; state.verdict.health === 'Recovering'; now += RECOVERY_STEP_INTERVAL) state = succeed(state, now);
    for (let count = 0; count < 20; count += 1) state = fail(state, 60_000, 500);
    expect(state.verdict.health).toBe('Healthy');
    for (let count = 0; count < 4; count += 1) state = fail(state, 60_000, 59_000);
    expect(state.verdict.health).toBe('Down');
  });

  it('holds no longer for failures of requests that were under way already', () => {
    const state = down(10);
    expect(fail(state, 20, 5)).toBe(state);
  });
});

describe('a target cools down', () => {
  it('for as long as the rate limit says, without being called down', () => {
    const state = observe(succeed(newTargetHealth(0), 0), { kind: 'rateLimit', startedAt: 0, retryAfterMs: 2_000 }, 0);
    expect(state.verdict.health).toBe('Healthy');
    expect(admission(state, 1_999).kind).toBe('shut');
    expect(admission(state, 2_000).kind).toBe('open');
  });

  it('for a minute at most, whatever a rate limit says', () => {
    const state = observe(newTargetHealth(0), { kind: 'rateLimit', startedAt: 0, retryAfterMs: 86_400_000 }, 0);
    expect(admission(state, 60_000).kind).toBe('open');
  });

  it('for long when its key is refused, and not beyond', () => {
    const state = observe(newTargetHealth(0), { kind: 'refusal', startedAt: 0, reason: 'CredentialsRefused' }, 0);
    expect(admission(state, ACCOUNT_COOLDOWN - 1).kind).toBe('shut');
    expect(admission(state, ACCOUNT_COOLDOWN).kind).toBe('open');
  });
});
