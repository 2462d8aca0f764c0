import { FakeClock, settled } from './fake-clock.ts';
import { WorkQueue, type WorkQueueOptions } from './work-queue.ts';

/** A queue whose worker ends only when it is told to. */
function setUp(options: Partial<WorkQueueOptions> = {}) {
  const clock = new FakeClock();
  const queue = new WorkQueue({ clock, random: () => 1, concurrency: 1, ...options });
  const started: string[] = [];
  const ends = new Map<string, () => void>();
  const stop = new AbortController();
  const run = () =>
    queue.run((key) => {
      if (ends.has(key)) throw new Error(`${key} is worked on twice at one time`);
      started.push(key);
      return new Promise<void>((resolve) =>
        ends.set(key, () => {
          ends.delete(key);
          resolve();
        }),
      );
    }, stop.signal);
  const end = async (key: string) => {
    ends.get(key)?.();
    await settled();
  };
  return { clock, queue, started, end, stop, run };
}

describe('a work queue', () => {
  it('holds a key once, however often it is added, and serves first come first', async () => {
    const { queue, started, end, stop, run } = setUp();
    for (const key of ['a', 'b', 'a', 'c', 'b', 'a']) queue.add(key);
    expect(queue.depth).toBe(3);
    const running = run();
    for (const key of ['a', 'b', 'c']) {
      await settled();
      await end(key);
    }
    expect(started).toEqual(['a', 'b', 'c']);
    stop.abort();
    await running;
  });

  it('never works on a key twice at one time, and does again what was added meanwhile, once and after the others', async () => {
    const { queue, started, end, stop, run } = setUp({ concurrency: 3 });
    const running = run();
    queue.add('a');
    await settled();
    queue.add('a');
    queue.add('b');
    queue.add('a');
    await settled();
    expect(started).toEqual(['a', 'b']);
    await end('a');
    expect(started).toEqual(['a', 'b', 'a']);
    await end('a');
    await end('b');
    expect(started).toHaveLength(3);
    stop.abort();
    await running;
  });

  it('works on as many keys at once as it may, and no more', async () => {
    const { queue, started, end, stop, run } = setUp({ concurrency: 2 });
    const running = run();
    for (const key of ['a', 'b', 'c']) queue.add(key);
    await settled();
    expect(started).toEqual(['a', 'b']);
    await end('b');
    expect(started).toEqual(['a', 'b', 'c']);
    stop.abort();
    await end('a');
    await end('c');
    await running;
  });

  it('waits twice as long after each failure in a row, up to the cap, and from the beginning after a success', async () => {
    const { clock, queue, started, end, stop, run } = setUp({ backoff: { baseMs: 100, capMs: 400 } });
    const running = run();
    const delays: number[] = [];
    const retryAndMeasure = async () => {
      queue.retry('a');
      const before = clock.monotonic();
      const count = started.length;
      while (started.length === count) await clock.advance(10);
      delays.push(clock.monotonic() - before);
      await end('a');
    };
    for (let i = 0; i < 4; i += 1) await retryAndMeasure();
    expect(queue.failures('a')).toBe(4);
    queue.forget('a');
    await retryAndMeasure();
    expect(delays).toEqual([100, 200, 400, 400, 100]);
    stop.abort();
    await running;
  });

  it('does not make one failing key wait for another', async () => {
    const { clock, queue, started, end, stop, run } = setUp({ backoff: { baseMs: 1_000, capMs: 60_000 } });
    const running = run();
    queue.retry('failing');
    queue.add('well');
    await settled();
    expect(started).toEqual(['well']);
    await end('well');
    await clock.advance(1_000);
    expect(started).toEqual(['well', 'failing']);
    await end('failing');
    stop.abort();
    await running;
  });

  it('adds a delayed key at the earliest of its moments, once', async () => {
    const { clock, queue, started, end, stop, run } = setUp();
    const running = run();
    queue.addAfter('a', 500);
    queue.addAfter('a', 100);
    queue.addAfter('a', 300);
    await clock.advance(99);
    expect(started).toEqual([]);
    await clock.advance(1);
    expect(started).toEqual(['a']);
    await end('a');
    await clock.advance(1_000);
    expect(started).toEqual(['a']);
    stop.abort();
    await running;
  });

  it('drops a retry that is still due when the key succeeds first, but not a moment that was asked for', async () => {
    const { clock, queue, started, end, stop, run } = setUp();
    const running = run();
    queue.retry('a');
    queue.addAfter('a', 5_000);
    queue.forget('a');
    await clock.advance(4_999);
    expect(started).toEqual([]);
    await clock.advance(1);
    expect(started).toEqual(['a']);
    await end('a');
    stop.abort();
    await running;
  });

  it('holds no more keys than its limit, and says that it dropped one', async () => {
    let dropped = 0;
    const { queue } = setUp({ maxKeys: 2, observer: { dropped: () => (dropped += 1) } });
    for (const key of ['a', 'b', 'c', 'a']) queue.add(key);
    expect(queue.depth).toBe(2);
    expect(dropped).toBe(1);
  });

  it('finishes what it works on when it is stopped, and begins nothing more', async () => {
    const { clock, queue, started, end, stop, run } = setUp();
    let hasEnded = false;
    const running = run().then(() => {
      hasEnded = true;
    });
    queue.add('a');
    queue.add('b');
    queue.addAfter('c', 10);
    await settled();
    stop.abort();
    await clock.advance(100);
    expect(hasEnded).toBe(false);
    await end('a');
    await running;
    expect(started).toEqual(['a']);
    queue.add('d');
    expect(queue.depth).toBe(0);
  });

  it('tells how long keys waited and were worked on', async () => {
    const seen: [string, number][] = [];
    const observer = {
      depth: (waiting: number) => seen.push(['depth', waiting]),
      started: (waited: number) => seen.push(['waited', waited]),
      finished: (worked: number) => seen.push(['worked', worked]),
    };
    const { clock, queue, end, stop, run } = setUp({ observer });
    queue.add('a');
    await clock.advance(30);
    const running = run();
    await clock.advance(70);
    await end('a');
    expect(seen).toEqual([
      ['depth', 1],
      ['depth', 0],
      ['waited', 30],
      ['worked', 70],
    ]);
    stop.abort();
    await running;
  });

  it('passes on a worker that rejects, since no decision was made about its key', async () => {
    const clock = new FakeClock();
    const queue = new WorkQueue({ clock, random: () => 1, concurrency: 1 });
    queue.add('a');
    const running = queue.run(() => Promise.reject(new Error('a fault of the program')), new AbortController().signal);
    await expect(running).rejects.toThrow('a fault of the program');
  });
});
