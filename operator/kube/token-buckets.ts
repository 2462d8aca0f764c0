import type { Clock } from './clock.ts';

export interface TokenBucketLimits {
  /** Tokens of a full bucket. */
  burst: number;
  /** Time in which one token comes back. */
  refillMs: number;
  /** Buckets that are kept; those used longest ago are forgotten, and are full when they are asked again. */
  maxKeys: number;
}

/** A rate limit for each key. */
export class TokenBuckets {
  readonly #limits: TokenBucketLimits;
  readonly #clock: Clock;
  readonly #buckets = new Map<string, { tokens: number; at: number }>();

  constructor(limits: TokenBucketLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /** Takes a token; false when there is none. */
  take(key: string): boolean {
    const { burst, refillMs, maxKeys } = this.#limits;
    const at = this.#clock.monotonic();
    const known = this.#buckets.get(key);
    const tokens = known ? Math.min(burst, known.tokens + (at - known.at) / refillMs) : burst;
    const taken = tokens >= 1;
    this.#buckets.delete(key);
    this.#buckets.set(key, { tokens: taken ? tokens - 1 : tokens, at });
    if (this.#buckets.size > maxKeys) {
      for (const oldest of this.#buckets.keys()) {
        this.#buckets.delete(oldest);
        break;
      }
    }
    return taken;
  }
}
