export interface Backoff {
  /** How long to wait now, in milliseconds; longer at each call, up to the cap. */
  next(): number;
  /** All is well: begin again with the shortest wait. */
  reset(): void;
}

/** Doubles up to `capMs`, with jitter: of many that failed at one moment, not all come back at one moment. */
export function createBackoff({ baseMs, capMs }: { baseMs: number; capMs: number }, random: () => number): Backoff {
  let failures = 0;
  return {
    next() {
      failures += 1;
      return backoffDelay(failures, { baseMs, capMs }, random);
    },
    reset() {
      failures = 0;
    },
  };
}

/** Delay after the n-th failure in a row (from 1): between half of `min(cap, base · 2ⁿ⁻¹)` and all of it. */
export function backoffDelay(
  failures: number,
  { baseMs, capMs }: { baseMs: number; capMs: number },
  random: () => number,
): number {
  // 2^40 ms is longer than any cap; beyond it the power would become Infinity in the end.
  const full = Math.min(capMs, baseMs * 2 ** Math.min(failures - 1, 40));
  return Math.round(full * (0.5 + random() / 2));
}
