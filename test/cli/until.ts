import { setTimeout as delay } from 'node:timers/promises';

const PATIENCE_MS = 20_000;
const PAUSE_MS = 50;

/**
 * Looks again until what is there passes. Unlike with `eventually`, looking must not fail: an application that may notice nothing is looked
 * at so. Fails, with what was there last, after far longer than it should take.
 */
export async function until<T>(look: () => Promise<T> | T, passes: (value: T) => boolean): Promise<T> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const value = await look();
    if (passes(value)) return value;
    if (performance.now() > deadline)
      throw new Error(`waited in vain, last: ${typeof value === 'string' ? value : JSON.stringify(value, undefined, 2)}`);
    await delay(PAUSE_MS);
  }
}
