/** The last so many times to the first content: enough for a 95th percentile that is more than one value. */
const KEPT = 128;

export class RecentLatencies {
  readonly #values = new Float64Array(KEPT);
  #count = 0;

  add(milliseconds: number): void {
    this.#values[this.#count % KEPT] = milliseconds;
    this.#count += 1;
  }

  /** Percentiles in milliseconds, or `undefined` before the first value. */
  read(): { p50: number; p95: number } | undefined {
    const kept = Math.min(this.#count, KEPT);
    if (kept === 0) return undefined;
    const sorted = this.#values.slice(0, kept).sort();
    return { p50: sorted[Math.floor(kept * 0.5)] as number, p95: sorted[Math.min(kept - 1, Math.floor(kept * 0.95))] as number };
  }
}
