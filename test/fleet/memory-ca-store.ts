import type { CaData, CaStore } from '../../operator/fleet/ca-store.ts';

export interface MemoryCaStore extends CaStore {
  data(): CaData | undefined;
  write(data: CaData): void;
  /** While set, every call rejects with it. */
  away: Error | undefined;
  reads: number;
  writes: number;
}

/** Conflicts as the API server's do: by existence, and by version. */
export function createMemoryCaStore(): MemoryCaStore {
  let stored: { data: CaData; version: number } | undefined;
  const store: MemoryCaStore = {
    away: undefined,
    reads: 0,
    writes: 0,
    data: () => stored?.data,
    write(data) {
      stored = { data, version: (stored?.version ?? 0) + 1 };
      store.writes += 1;
    },
    async read() {
      store.reads += 1;
      if (store.away) throw store.away;
      return stored && { data: stored.data, version: String(stored.version) };
    },
    async create(data) {
      if (store.away) throw store.away;
      if (stored) return 'Conflict';
      store.write(data);
      return 'Done';
    },
    async replace(data, version) {
      if (store.away) throw store.away;
      if (String(stored?.version) !== version) return 'Conflict';
      store.write(data);
      return 'Done';
    },
  };
  return store;
}
