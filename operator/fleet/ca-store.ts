/** What is kept of the CA, as the data of one Secret: PEM texts and times by key. */
export type CaData = Readonly<Record<string, string>>;

/**
 * Where the operator keeps its CA: one Secret of its own namespace. Two operators that start at once are told apart by the API
 * server's conflict: exactly one `create`, and one `replace` of each version, succeeds.
 */
export interface CaStore {
  /** `undefined` when the Secret does not exist. Rejects when the API server can't be asked. */
  read(): Promise<{ data: CaData; version: string } | undefined>;
  /** `Conflict` when the Secret exists already. */
  create(data: CaData): Promise<'Done' | 'Conflict'>;
  /** `Conflict` when the Secret is no longer at `version` (its resourceVersion). */
  replace(data: CaData, version: string): Promise<'Done' | 'Conflict'>;
}
