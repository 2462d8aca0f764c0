import type { Clock } from '../../operator/kube/clock.ts';

export interface FakeClock extends Clock {
  /** Moves both clocks, and runs what is due on the way, in its order. */
  advance(milliseconds: number): void;
  /** Callbacks that wait. */
  waiting(): number;
}

export function createFakeClock(startAt = Date.parse('2026-11-23T10:00:00Z')): FakeClock {
  let elapsed = 0;
  let nextId = 0;
  const waiting = new Map<number, { at: number; callback: () => void }>();
  return {
    now: () => startAt + elapsed,
    monotonic: () => elapsed,
    schedule(callback, delayMs) {
      const id = nextId++;
      waiting.set(id, { at: elapsed + delayMs, callback });
      return () => waiting.delete(id);
    },
    advance(milliseconds) {
      const until = elapsed + milliseconds;
      for (;;) {
        const [due] = [...waiting].filter(([, { at }]) => at <= until).sort(([, one], [, other]) => one.at - other.at);
        if (due === undefined) break;
        waiting.delete(due[0]);
        elapsed = Math.max(elapsed, due[1].at);
        due[1].callback();
      }
      elapsed = until;
    },
    waiting: () => waiting.size,
  };
}
