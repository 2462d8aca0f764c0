/** Time, passed in so that tests can hold it still. */
export interface Clock {
  /** Wall clock, for what people read: milliseconds since the epoch. May jump. */
  now(): number;
  /** For measuring and waiting: milliseconds since some moment. Never jumps. */
  monotonic(): number;
  /** Calls back once, after `delayMs`. Returns the way to cancel. */
  schedule(callback: () => void, delayMs: number): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  schedule: (callback, delayMs) => {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

/** Resolves after `delayMs`, or as soon as the signal is aborted, whichever comes first: who waits then looks at the signal. */
export function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      cancel();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.schedule(done, delayMs);
    signal.addEventListener('abort', done);
  });
}
