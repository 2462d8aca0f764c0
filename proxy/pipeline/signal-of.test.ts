import type { FailureClass } from '../attempt/failure.ts';
import { signalOf } from './signal-of.ts';

const failed = (failureClass: FailureClass, more: object = {}) =>
  ({ kind: 'failed', failure: { class: failureClass, code: 'code', message: 'said', ...more } }) as const;
const signal = (outcome: Parameters<typeof signalOf>[0], elapsed = 100) => signalOf(outcome, 0, elapsed, 10_000);

describe('what an attempt tells of its target', () => {
  it.each(['Transport', 'Overload', 'Malformed', 'Stall', 'AfterCommit'] as const)('%s counts as a failure', (name) => {
    expect(signal(failed(name, { status: 503 }))).toEqual({ kind: 'failure', startedAt: 0, summary: '503 code' });
  });

  it.each([
    [
      'a rate limit is a cooldown',
      failed('RateLimit', { retryAfterMs: 7 }),
      { kind: 'rateLimit', startedAt: 0, retryAfterMs: 7 },
    ],
    [
      'a refused key is a long one',
      failed('Account', { account: 'QuotaExhausted' }),
      { kind: 'refusal', startedAt: 0, reason: 'QuotaExhausted' },
    ],
    [
      'so is a model that is not there',
      failed('Capability', { modelNotFound: true }),
      { kind: 'refusal', startedAt: 0, reason: 'ModelNotFound' },
    ],
    ['a bad request says nothing', failed('Request'), undefined],
    ['what a model can’t do says nothing', failed('Capability'), undefined],
    [
      'a stream that broke off counts',
      { kind: 'broken', failure: { class: 'AfterCommit', code: 'cut', message: '' }, firstContentMs: 1 },
      { kind: 'failure', startedAt: 0, summary: 'cut' },
    ],
    [
      'a client that left in the middle says nothing',
      { kind: 'broken', failure: { class: 'ClientAbort', code: 'c', message: '' }, firstContentMs: 1 },
      undefined,
    ],
  ] as const)('%s', (_, outcome, expected) => {
    expect(signal(outcome)).toEqual(expected);
  });

  it('counts a client that gave up on silence, and not one that just left', () => {
    expect(signal(failed('ClientAbort'), 1_000)).toBeUndefined();
    expect(signal(failed('ClientAbort'), 5_000)).toMatchObject({
      kind: 'failure',
      summary: 'a client gave up after 5000 ms without content',
    });
  });
});
