import { type FailoverRecord, MAX_KEPT_FAILOVERS } from '../../contract/fleet.ts';
import { iso } from './target-record.ts';

/** Failovers that have not come back: a chain has no more targets than this. */
const MAX_OPEN = 64;

/** The failovers of one route: those that are still to be told, and those whose traffic has not come back yet. */
export class FailoverLog {
  count = 0;
  #untold: FailoverRecord[] = [];
  #open: FailoverRecord[] = [];

  add(record: FailoverRecord): FailoverRecord {
    this.count += 1;
    this.#untold = [...this.#untold, record].slice(-MAX_KEPT_FAILOVERS);
    this.#open = [...this.#open, record].slice(-MAX_OPEN);
    return record;
  }

  /**
   * Traffic has come back as far as `isBack` says of the target that it had left. Those failovers are told once more, under another id, since
   * the first telling may have been taken and forgotten. Returns the oldest.
   */
  close(isBack: (from: string) => boolean, now: number): FailoverRecord | undefined {
    const closed = this.#open
      .filter(({ from }) => isBack(from))
      .map((record) => ({ ...record, id: `${record.id}-returned`, returned: iso(now) }));
    if (closed.length === 0) return undefined;
    this.#open = this.#open.filter(({ from }) => !isBack(from));
    const known = new Set(closed.map(({ id }) => id));
    const others = this.#untold.filter(({ id }) => !known.has(`${id}-returned`));
    this.#untold = [...others, ...closed].slice(-MAX_KEPT_FAILOVERS);
    return closed[0];
  }

  untold(): readonly FailoverRecord[] {
    return this.#untold;
  }

  forget(ids: ReadonlySet<string>): void {
    this.#untold = this.#untold.filter(({ id }) => !ids.has(id));
  }
}
