import { PROXY_GONE_AFTER_MS, type ProxyReport, type ReportAnswer } from '../../contract/fleet.ts';
import type { RuntimeConfig } from '../../contract/runtime-config.ts';
import type { Clock } from '../kube/clock.ts';
import { classifyNews } from './classify-news.ts';
import { type Counted, countReport, forgetUnnamed, noTotals, type Totals } from './count-totals.ts';
import type { FailoverVersion, FleetNews, FleetTotals, ReceivedReport } from './fleet.ts';
import { mergeReports } from './merge-reports.ts';

/** Proxies of one namespace that are listened to: far above what a Deployment of proxies needs. */
export const MAX_PROXIES_PER_NAMESPACE = 256;
/** Namespaces that are listened to. */
export const MAX_NAMESPACES = 4_096;
/** Instances whose counters are remembered in one namespace, the gone ones with the present ones. */
const MAX_REMEMBERED_INSTANCES = 2 * MAX_PROXIES_PER_NAMESPACE;

interface HeardProxy extends ReceivedReport {
  /** Monotonic, so that a wall clock that jumps does not make a fleet disappear. */
  heardAt: number;
  /** Failovers that are in the status, by id, with the `returned` that the status has. Only those that the proxy still repeats. */
  taken: Map<string, string | undefined>;
}

interface Room {
  proxies: Map<string, HeardProxy>;
  counted: Map<string, Counted>;
  totals: Totals;
}

export type Reception = { outcome: 'Taken'; answer: ReportAnswer; before: ProxyReport | undefined } | { outcome: 'Full' };

/** What the proxies of all namespaces said last. In memory only: proxies say it again within seconds of an operator's start. */
export interface ReportStore {
  receive(namespace: string, report: ProxyReport): Reception;
  reports(namespace: string): readonly ReceivedReport[];
  totals(namespace: string): FleetTotals;
  acknowledge(namespace: string, taken: readonly FailoverVersion[]): void;
  /** Forgets counters of what the config no longer has. */
  configured(namespace: string, config: RuntimeConfig): void;
  withdraw(namespace: string): void;
  /** Drops proxies that are gone, and says so. To be called about every second. */
  sweep(): void;
  onNews(listener: (namespace: string, news: FleetNews) => void): () => void;
}

export function createReportStore(clock: Pick<Clock, 'now' | 'monotonic'>): ReportStore {
  const rooms = new Map<string, Room>();
  /** Of these the counters are kept while no proxy is there. */
  const served = new Set<string>();
  const listeners = new Set<(namespace: string, news: FleetNews) => void>();

  const tell = (namespace: string, news: FleetNews) => {
    for (const listener of listeners) listener(namespace, news);
  };

  function roomOf(namespace: string): Room | undefined {
    const found = rooms.get(namespace);
    if (found !== undefined || rooms.size >= MAX_NAMESPACES) return found;
    const room: Room = { proxies: new Map(), counted: new Map(), totals: noTotals() };
    rooms.set(namespace, room);
    return room;
  }

  function present(room: Room): HeardProxy[] {
    const now = clock.monotonic();
    return [...room.proxies.values()].filter(({ heardAt }) => now - heardAt < PROXY_GONE_AFTER_MS);
  }

  function count(room: Room, report: ProxyReport): void {
    const counted = countReport(room.totals, report, room.counted.get(report.proxy));
    room.counted.delete(report.proxy);
    if (room.counted.size >= MAX_REMEMBERED_INSTANCES) room.counted.delete(room.counted.keys().next().value!);
    room.counted.set(report.proxy, counted);
  }

  return {
    receive(namespace, report) {
      const room = roomOf(namespace);
      if (room === undefined) return { outcome: 'Full' };
      const last = room.proxies.get(report.proxy);
      if (last === undefined && room.proxies.size >= MAX_PROXIES_PER_NAMESPACE) return { outcome: 'Full' };
      count(room, report);
      const taken = last?.report.instance === report.instance ? last.taken : new Map<string, string | undefined>();
      const repeated = new Set(report.failovers.map(({ id }) => id));
      for (const id of taken.keys()) if (!repeated.has(id)) taken.delete(id);
      room.proxies.set(report.proxy, { report, receivedAt: clock.now(), heardAt: clock.monotonic(), taken });
      tell(namespace, classifyNews(last?.report, report));
      const others = present(room).filter((heard) => heard.report.proxy !== report.proxy);
      const acknowledged = report.failovers.filter(({ id, returned }) => taken.has(id) && taken.get(id) === returned);
      return {
        outcome: 'Taken',
        before: last?.report,
        answer: { view: mergeReports(others, clock.now()), acknowledged: acknowledged.map(({ id }) => id) },
      };
    },
    reports(namespace) {
      const room = rooms.get(namespace);
      if (room === undefined) return [];
      return present(room)
        .sort((one, other) => (one.report.proxy < other.report.proxy ? -1 : 1))
        .map(({ report, receivedAt }) => ({ report, receivedAt }));
    },
    totals: (namespace) => rooms.get(namespace)?.totals ?? noTotals(),
    acknowledge(namespace, versions) {
      const proxies = rooms.get(namespace)?.proxies;
      for (const { proxy, instance, id, returned } of versions) {
        const heard = proxies?.get(proxy);
        if (heard?.report.instance === instance && heard.report.failovers.some((record) => record.id === id)) {
          heard.taken.set(id, returned);
        }
      }
    },
    configured(namespace, config) {
      served.add(namespace);
      const room = rooms.get(namespace);
      if (room !== undefined) forgetUnnamed(room.totals, config);
    },
    withdraw(namespace) {
      served.delete(namespace);
      rooms.delete(namespace);
    },
    sweep() {
      const now = clock.monotonic();
      for (const [namespace, room] of rooms) {
        const gone = [...room.proxies].filter(([, { heardAt }]) => now - heardAt >= PROXY_GONE_AFTER_MS);
        for (const [proxy] of gone) room.proxies.delete(proxy);
        // Proxies that end report to the last, also when their namespace has been withdrawn: nobody else would clear up after them.
        if (room.proxies.size === 0 && !served.has(namespace)) rooms.delete(namespace);
        if (gone.length > 0) tell(namespace, 'transition');
      }
    },
    onNews(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
