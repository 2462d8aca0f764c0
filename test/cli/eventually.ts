import { setTimeout as delay } from 'node:timers/promises';

const PATIENCE_MS = 20_000;
const PAUSE_MS = 50;

/** Asks again until `look` gives something that passes. Fails, with what was there last, after far longer than it should take. */
export async function eventually<T>(look: () => Promise<T> | T, passes: (value: T) => boolean): Promise<T> {
  const until = performance.now() + PATIENCE_MS;
  for (;;) {
    const value = await look();
    if (passes(value)) return value;
    if (performance.now() > until)
      throw new Error(`waited in vain, last: ${typeof value === 'string' ? value : JSON.stringify(value, undefined, 2)}`);
    await delay(PAUSE_MS);
  }
}
