/** Retries on the same target that are always allowed in a window, so that a quiet route may retry at all (Envoy's `min_retry_concurrency`). */
const ALWAYS_ALLOWED = 3;
const WINDOW = 10_000;

/** How many retries on the same target the requests of the last ten seconds pay for, so that retries do not add to an overload. */
export class RetryBudget {
  #windowStart = 0;
  #requests = 0;
  #retries = 0;
  #previousRequests = 0;

  onRequest(now: number): void {
    this.#move(now);
    this.#requests += 1;
  }

  /** Takes one retry out of the budget, if it is there. */
  take(percent: number, now: number): boolean {
    this.#move(now);
    const requests = Math.max(this.#requests, this.#previousRequests);
    if (this.#retries >= Math.max(ALWAYS_ALLOWED, (requests * percent) / 100)) return false;
    this.#retries += 1;
    return true;
  }

  #move(now: number): void {
    if (now - this.#windowStart < WINDOW) return;
    this.#previousRequests = now - this.#windowStart < 2 * WINDOW ? this.#requests : 0;
    this.#windowStart = now;
    this.#requests = 0;
    this.#retries = 0;
  }
}
