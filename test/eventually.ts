import { setTimeout as delay } from 'node:timers/promises';

/** Generous: it bounds a test that would never end, and is no statement about speed. Below jest's own limit, so that the last failure is told. */
const WITHIN_MS = 55_000;
/** Soon at first; then seldom, since many look by starting a kubectl. */
const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 100;

/** Tries the expectation again until it holds, and gives what it gave; fails with its last failure. */
export async function eventually<T>(expectation: () => T | Promise<T>, withinMs: number = WITHIN_MS): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
    try {
      return await expectation();
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
    await delay(pause);
  }
}
