import { pino } from 'pino';
import { createController } from './controller.ts';
import { FakeClock, settled } from './fake-clock.ts';
import { KubeError } from './kube-error.ts';
import { type FailureDecision, type ReconcileResult, StalledError, WaitingError } from './reconcile-error.ts';

function setUp(reconcile: (attempt: number, signal: AbortSignal) => Promise<ReconcileResult>) {
  const clock = new FakeClock();
  const lines: { level: number; failures: number }[] = [];
  const decisions: FailureDecision[] = [];
  let attempts = 0;
  const controller = createController({
    name: 'test',
    clock,
    random: () => 1,
    logger: pino({ level: 'debug' }, { write: (line) => lines.push(JSON.parse(line)) }),
    reconcile: (_, signal) => {
      attempts += 1;
      return reconcile(attempts, signal);
    },
    onFailure: (_, decision) => decisions.push(decision),
  });
  const stop = new AbortController();
  const running = controller.run(stop.signal);
  return {
    clock,
    controller,
    lines,
    decisions,
    attempts: () => attempts,
    end: async () => {
      stop.abort();
      await running;
    },
  };
}

describe('a controller', () => {
  it('comes back when a reconcile asks for it', async () => {
    const { clock, controller, attempts, end } = setUp(async () => ({ requeueAfterMs: 60_000 }));
    controller.enqueue('a/b');
    await clock.advance(59_999);
    expect(attempts()).toBe(1);
    await clock.advance(1);
    expect(attempts()).toBe(2);
    await end();
  });

  it('does not try a stalled resource again before something changes, and says so as an error', async () => {
    const { clock, controller, attempts, lines, decisions, end } = setUp(async () => {
      throw new StalledError('Invalid', 'the chain is empty');
    });
    controller.enqueue('a/b');
    await clock.advance(3_600_000);
    expect(attempts()).toBe(1);
    expect(decisions).toMatchObject([{ kind: 'Stalled', reason: 'Invalid', event: 'Warning' }]);
    expect(lines).toMatchObject([{ level: 50 }]);
    await end();
  });

  it('looks again after the time that a waiting resource names, without backoff or alarm', async () => {
    const { clock, controller, attempts, lines, end } = setUp(async () => {
      throw new WaitingError('NoProxies', 'no proxy is ready', 1_000);
    });
    controller.enqueue('a/b');
    await clock.advance(3_000);
    expect(attempts()).toBe(4);
    expect(lines.every(({ level, failures }) => level === 30 && failures === 0)).toBe(true);
    await end();
  });

  it('tries a transient failure again, later each time, and warns only when it goes on', async () => {
    const { clock, controller, attempts, lines, end } = setUp(async (attempt) => {
      if (attempt <= 3) throw new KubeError({ code: 'Conflict', request: 'PATCH /x', message: 'someone was faster' });
      return {};
    });
    controller.enqueue('a/b');
    await clock.advance(200 + 400 + 799);
    expect(attempts()).toBe(3);
    await clock.advance(1);
    expect(attempts()).toBe(4);
    await clock.advance(3_600_000);
    expect(attempts()).toBe(4);
    expect(lines.map(({ level }) => level)).toEqual([30, 30, 40]);
    await end();
  });

  it('bounds a reconcile in time', async () => {
    const { clock, controller, lines, end } = setUp(
      (_, signal) => new Promise((__, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    );
    controller.enqueue('a/b');
    await clock.advance(90_000);
    expect(lines).toMatchObject([{ err: { message: 'the reconcile took too long' } }]);
    await end();
  });

  it('gives up a running reconcile when it is stopped, and makes no failure of it', async () => {
    const { controller, lines, end } = setUp(
      (_, signal) => new Promise((__, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    );
    controller.enqueue('a/b');
    await settled();
    await end();
    expect(lines).toEqual([]);
  });
});
