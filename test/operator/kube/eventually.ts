import { setTimeout as sleep } from 'node:timers/promises';

/** Generous: it bounds a test that would never end, and is no statement about speed. */
const WITHIN_MS = 45_000;

/** Tries the expectation again until it holds; fails with its last failure. */
export async function eventually(expectation: () => void | Promise<void>, withinMs: number = WITHIN_MS): Promise<void> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    try {
      return await expectation();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(20);
    }
  }
}
