/** Changes that come together are told together. */
const PAUSE = 100;

/** Tells listeners that something changed: at once after a quiet time, else once in `PAUSE` milliseconds. */
export class News {
  readonly #listeners = new Set<() => void>();
  #timer: NodeJS.Timeout | undefined;
  #again = false;

  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  tell(): void {
    if (this.#timer !== undefined) {
      this.#again = true;
      return;
    }
    this.#timer = setTimeout(() => this.#rest(), PAUSE);
    // Not within the caller's work: a listener may take its time.
    setImmediate(() => this.#call());
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#listeners.clear();
  }

  #rest(): void {
    this.#timer = undefined;
    if (!this.#again) return;
    this.#again = false;
    this.tell();
  }

  #call(): void {
    for (const listener of this.#listeners) listener();
  }
}
