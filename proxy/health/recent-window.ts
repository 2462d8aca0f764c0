/** Counts attempts and failures over the last minute in which there were any, in ten-second slices. */
const SLICE = 10_000;
const SLICES = 6;

export class RecentWindow {
  readonly #attempts = new Uint32Array(SLICES);
  readonly #failures = new Uint32Array(SLICES);
  #slice = 0;

  add(failed: boolean, now: number): void {
    this.#moveTo(Math.floor(now / SLICE));
    const index = this.#slice % SLICES;
    this.#attempts[index] = (this.#attempts[index] as number) + 1;
    if (failed) this.#failures[index] = (this.#failures[index] as number) + 1;
  }

  /** What the window holds; it only moves on with traffic, so that a quiet target still shows its last minute. */
  read(): { attempts: number; failures: number } {
    return { attempts: sum(this.#attempts), failures: sum(this.#failures) };
  }

  #moveTo(slice: number): void {
    if (slice === this.#slice) return;
    const steps = Math.min(slice - this.#slice, SLICES);
    for (let step = 0; step < steps; step += 1) {
      const index = (slice - step) % SLICES;
      this.#attempts[index] = 0;
      this.#failures[index] = 0;
    }
    this.#slice = slice;
  }
}

function sum(counts: Uint32Array): number {
  let total = 0;
  for (const count of counts) total += count;
  return total;
}
