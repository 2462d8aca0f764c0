import { backoffDelay } from './backoff.ts';
import type { Clock } from './clock.ts';

/** What a queue does, for metrics. Durations in milliseconds. */
export interface WorkQueueObserver {
  added?(): void;
  retried?(): void;
  dropped?(): void;
  depth?(waiting: number): void;
  /** `waited`: from the first `add` to the start. */
  started?(waited: number): void;
  finished?(worked: number): void;
}

export interface WorkQueueOptions {
  clock: Clock;
  random: () => number;
  /** How many keys are worked on at once. */
  concurrency: number;
  backoff?: { baseMs: number; capMs: number };
  /** Keys are de-duplicated, so this bounds the number of resources; what is dropped comes back with the next resync. */
  maxKeys?: number;
  observer?: WorkQueueObserver;
}

/** The first retry is soon, since most failures are a conflict; the cap bounds how late a repair is seen once its cause is gone. */
export const RETRY_BACKOFF = { baseMs: 200, capMs: 30_000 };
export const MAX_KEYS = 100_000;

/**
 * Keys to be worked on. A key stands in the queue once, however often it is added; it is never worked on twice at one time: what is
 * added while it is being worked on is done after. First come, first served.
 */
export class WorkQueue {
  readonly #options: WorkQueueOptions;
  readonly #backoff: { baseMs: number; capMs: number };
  readonly #maxKeys: number;
  /** In order, with the moment of the first add. */
  readonly #ready = new Map<string, number>();
  readonly #working = new Set<string>();
  /** Added while being worked on. */
  readonly #again = new Map<string, number>();
  readonly #delayed = new Map<string, Delayed>();
  readonly #retries = new Map<string, Delayed>();
  readonly #failures = new Map<string, number>();
  #wake: (() => void) | undefined;
  #closed = false;

  constructor(options: WorkQueueOptions) {
    this.#options = options;
    this.#backoff = options.backoff ?? RETRY_BACKOFF;
    this.#maxKeys = options.maxKeys ?? MAX_KEYS;
  }

  /** Keys that wait for a worker. */
  get depth(): number {
    return this.#ready.size;
  }

  add(key: string): void {
    if (this.#closed || this.#ready.has(key) || this.#again.has(key)) return;
    this.#options.observer?.added?.();
    const now = this.#options.clock.monotonic();
    if (this.#working.has(key)) {
      this.#again.set(key, now);
    } else if (this.#ready.size >= this.#maxKeys) {
      this.#options.observer?.dropped?.();
    } else {
      this.#ready.set(key, now);
      this.#options.observer?.depth?.(this.#ready.size);
      this.#wake?.();
    }
  }

  /** Adds it later. Of several moments the earliest counts. */
  addAfter(key: string, delayMs: number): void {
    this.#schedule(this.#delayed, key, delayMs);
  }

  /** Adds it again after a failure; each time in a row later, until `forget`. */
  retry(key: string): void {
    if (this.#closed) return;
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    this.#options.observer?.retried?.();
    this.#schedule(this.#retries, key, backoffDelay(failures, this.#backoff, this.#options.random));
  }

  /** Times in a row that `retry` was called. */
  failures(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  /** All is well with this key: the next failure is the first, and a retry that is still due is not needed. */
  forget(key: string): void {
    this.#failures.delete(key);
    this.#retries.get(key)?.cancel();
    this.#retries.delete(key);
  }

  /**
   * Works until the signal is aborted, then waits for what is being worked on. `work` must not reject: what follows a failure
   * is its decision (`retry`, `addAfter`, `forget`). A rejection ends the queue and is passed on, for it is a fault of the program.
   */
  async run(work: (key: string) => Promise<void>, signal: AbortSignal): Promise<void> {
    let awake = Promise.withResolvers<void>();
    this.#wake = () => awake.resolve();
    const stop = () => this.#wake?.();
    signal.addEventListener('abort', stop);
    const running = new Set<Promise<void>>();
    const faults: unknown[] = [];
    while (!signal.aborted && faults.length === 0) {
      const next = running.size < this.#options.concurrency ? this.#take() : undefined;
      if (next === undefined) {
        await awake.promise;
        awake = Promise.withResolvers<void>();
        continue;
      }
      const job = this.#workOn(next, work)
        .catch((fault) => faults.push(fault))
        .then(() => {
          running.delete(job);
          this.#wake?.();
        });
      running.add(job);
    }
    signal.removeEventListener('abort', stop);
    this.#close();
    await Promise.all(running);
    if (faults.length > 0) throw faults[0];
  }

  #take(): { key: string; since: number } | undefined {
    for (const [key, since] of this.#ready) {
      this.#ready.delete(key);
      this.#working.add(key);
      this.#options.observer?.depth?.(this.#ready.size);
      return { key, since };
    }
    return undefined;
  }

  async #workOn({ key, since }: { key: string; since: number }, work: (key: string) => Promise<void>): Promise<void> {
    const { clock, observer } = this.#options;
    const begun = clock.monotonic();
    observer?.started?.(begun - since);
    try {
      await work(key);
    } finally {
      observer?.finished?.(clock.monotonic() - begun);
      this.#working.delete(key);
      const again = this.#again.get(key);
      this.#again.delete(key);
      if (again !== undefined && !this.#closed) {
        this.#ready.set(key, again);
        observer?.depth?.(this.#ready.size);
      }
    }
  }

  #schedule(timers: Map<string, Delayed>, key: string, delayMs: number): void {
    if (this.#closed) return;
    const { clock } = this.#options;
    const dueAt = clock.monotonic() + delayMs;
    const pending = timers.get(key);
    if (pending && pending.dueAt <= dueAt) return;
    if (!pending && timers.size >= this.#maxKeys) {
      this.#options.observer?.dropped?.();
      return;
    }
    pending?.cancel();
    const cancel = clock.schedule(() => {
      timers.delete(key);
      this.add(key);
    }, delayMs);
    timers.set(key, { dueAt, cancel });
  }

  #close(): void {
    this.#closed = true;
    for (const timers of [this.#delayed, this.#retries]) {
      for (const { cancel } of timers.values()) cancel();
      timers.clear();
    }
    this.#ready.clear();
    this.#again.clear();
    this.#failures.clear();
    this.#wake = undefined;
  }
}

interface Delayed {
  dueAt: number;
  cancel: () => void;
}
