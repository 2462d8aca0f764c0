import type { ProxyReport } from '../../contract/fleet.ts';
import type { RuntimeConfig } from '../../contract/runtime-config.ts';

/** The newest report of one proxy, as `Fleet.reports` gives it. */
export interface ReceivedReport {
  report: ProxyReport;
  /** The operator's clock, milliseconds since the epoch. */
  receivedAt: number;
}

/**
 * `transition`: something that a status shows in words has changed: a verdict, an active target, a revision, a credential, a failover,
 * a proxy that came or went. Worth a status write now.
 * `figures`: only numbers and times moved. Worth a write at the slow heartbeat.
 */
export type FleetNews = 'transition' | 'figures';

/** Names one version of one failover record: the record of one id is sent again when its `returned` becomes known. */
export interface FailoverVersion {
  proxy: string;
  instance: string;
  id: string;
  returned?: string | undefined;
}

/**
 * Counters of one namespace that never go back while this operator runs: what proxies that restarted or went away had counted stays
 * counted. Failovers are not among them: each is a record of its own, which is taken once.
 */
export interface FleetTotals {
  targets: ReadonlyMap<string, { attempts: number; failures: number }>;
}

/** The proxies of all namespaces, as reconcilers see them. Nothing here waits or fails for a proxy that is away. */
export interface Fleet {
  /** Pushes to every connected proxy of the namespace, and to each that connects later. Equal revisions are pushed once. */
  publish(namespace: string, config: RuntimeConfig): void;
  /** Forgets the namespace: its config, its reports, its counters; open streams are ended. */
  withdraw(namespace: string): void;
  /** One for each proxy that was heard within `PROXY_GONE_AFTER_MS`, in the order of their names. */
  reports(namespace: string): readonly ReceivedReport[];
  totals(namespace: string): FleetTotals;
  /**
   * Tells that these failovers are safely in the status (after the write succeeded). The proxies forget them with their next report;
   * until then every report repeats them, so that an operator that dies loses none.
   */
  acknowledge(namespace: string, taken: readonly FailoverVersion[]): void;
  /** Returns the function that ends the subscription. */
  onNews(listener: (namespace: string, news: FleetNews) => void): () => void;
}
