import type { ColumnName } from './columns.ts';
import type { SubjectName } from './subjects.ts';

/** Whose samples: a subject's, or `direct`, the upstream without anything in front. */
export type Owner = SubjectName | 'direct';

/** Every sample of a run, in the order of the rounds. */
export class Samples {
  readonly #byColumn = new Map<ColumnName, Map<Owner, number[]>>();

  add(owner: Owner, column: ColumnName, value: number): void {
    if (!Number.isFinite(value)) throw new Error(`${owner} measured ${value} for ${column}: nothing was counted`);
    const owners = this.#byColumn.get(column) ?? new Map<Owner, number[]>();
    this.#byColumn.set(column, owners);
    const samples = owners.get(owner) ?? [];
    owners.set(owner, samples);
    samples.push(value);
  }

  of(owner: Owner, column: ColumnName): readonly number[] {
    return this.#byColumn.get(column)?.get(owner) ?? [];
  }

  toJSON(): unknown {
    return Object.fromEntries([...this.#byColumn].map(([column, owners]) => [column, Object.fromEntries(owners)]));
  }
}
