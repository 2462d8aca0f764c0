/** Says what is being measured and about how long the rest takes: the plan's time left, stretched by how late the run is so far. */
export class Progress {
  readonly #plannedMs: number;
  readonly #now: () => number;
  readonly #print: (line: string) => void;
  readonly #began: number;
  #doneMs = 0;

  constructor(plannedMs: number, now: () => number, print: (line: string) => void) {
    this.#plannedMs = plannedMs;
    this.#now = now;
    this.#print = print;
    this.#began = now();
  }

  begin(step: string): void {
    const pace = this.#doneMs > 0 ? Math.max(1, (this.#now() - this.#began) / this.#doneMs) : 1;
    const left = Math.max(0, Math.round(((this.#plannedMs - this.#doneMs) * pace) / 1000));
    this.#print(`[about ${String(left).padStart(3)} s left] ${step}`);
  }

  /** A step that was planned with `plannedMs` is over. */
  done(plannedMs: number): void {
    this.#doneMs += plannedMs;
  }
}
