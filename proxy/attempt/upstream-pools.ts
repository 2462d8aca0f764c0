import { Pool } from 'undici';

/** How long an idle connection to a provider is kept: shorter than the 10 s or more after which providers' load balancers close theirs. */
const KEEP_ALIVE = 8_000;
/** Response headers of a provider together; more is no API. */
const MAX_HEADER_BYTES = 64 * 1024;

/**
 * Connections to providers. One pool an origin and connect timeout, without a limit of its own: the bound is that of the requests at once,
 * and a limit here would let one hanging model block another of the same host.
 */
export class UpstreamPools {
  readonly #pools = new Map<string, Pool>();

  get(origin: string, connectTimeout: number): Pool {
    const key = `${connectTimeout} ${origin}`;
    let pool = this.#pools.get(key);
    if (pool === undefined) {
      pool = new Pool(origin, {
        allowH2: false,
        pipelining: 1,
        keepAliveTimeout: KEEP_ALIVE,
        keepAliveMaxTimeout: KEEP_ALIVE,
        maxHeaderSize: MAX_HEADER_BYTES,
        // The timers of an attempt are ours: they know first content from a ping.
        headersTimeout: 0,
        bodyTimeout: 0,
        connectTimeout,
      });
      this.#pools.set(key, pool);
    }
    return pool;
  }

  /** Closes the pools that no config needs any more; what runs on them is finished. */
  keepOnly(wanted: Iterable<{ origin: string; connectTimeout: number }>): void {
    const keys = new Set([...wanted].map(({ origin, connectTimeout }) => `${connectTimeout} ${origin}`));
    for (const [key, pool] of this.#pools) {
      if (keys.has(key)) continue;
      this.#pools.delete(key);
      pool.close().catch(() => pool.destroy());
    }
  }

  async destroy(): Promise<void> {
    const pools = [...this.#pools.values()];
    this.#pools.clear();
    await Promise.all(pools.map((pool) => pool.destroy()));
  }
}
