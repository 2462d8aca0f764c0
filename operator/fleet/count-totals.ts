import type { ProxyReport } from '../../contract/fleet.ts';
import type { RuntimeConfig } from '../../contract/runtime-config.ts';
import type { FleetTotals } from './fleet.ts';

/** Names of one namespace that are counted, each of targets and routes: far above what a config holds, so that no report can fill the memory. */
export const MAX_COUNTED_NAMES = 10_000;

/** The counters of one namespace. */
export interface Totals extends FleetTotals {
  targets: Map<string, { attempts: number; failures: number }>;
  failovers: Map<string, { sinceStart: number }>;
}

/** What one instance had counted when it was last heard. Kept for a while after it is gone, since it may only have been out of reach. */
export interface Counted {
  instance: string;
  targets: ReadonlyMap<string, { attempts: number; failures: number }>;
  failovers: ReadonlyMap<string, number>;
}

export function noTotals(): Totals {
  return { targets: new Map(), failovers: new Map() };
}

/**
 * Adds what a proxy counted since it was last heard, and returns what it has counted now. An instance that restarted counts from 0
 * again: all it has is new. So totals only grow.
 *
 * An instance that is older than this operator, heard for the first time, had its failovers counted by an operator before, but for those
 * that it still keeps because no operator took them.
 */
export function countReport(
  totals: Totals,
  report: ProxyReport,
  { last, olderThanOperator }: { last: Counted | undefined; olderThanOperator: boolean },
): Counted {
  const before = last?.instance === report.instance ? last : undefined;
  for (const { id, attempts, failures } of report.targets) {
    const counted = before?.targets.get(id);
    const total = totals.targets.get(id) ?? { attempts: 0, failures: 0 };
    setBounded(totals.targets, id, {
      attempts: total.attempts + growth(attempts, counted?.attempts),
      failures: total.failures + growth(failures, counted?.failures),
    });
  }
  for (const { name, failovers } of report.routes) {
    const untaken = () => report.failovers.filter(({ route, returned }) => route === name && returned === undefined).length;
    const news = before === undefined && olderThanOperator ? untaken() : growth(failovers, before?.failovers.get(name));
    setBounded(totals.failovers, name, { sinceStart: (totals.failovers.get(name)?.sinceStart ?? 0) + news });
  }
  return {
    instance: report.instance,
    targets: new Map(report.targets.map(({ id, attempts, failures }) => [id, { attempts, failures }])),
    failovers: new Map(report.routes.map(({ name, failovers }) => [name, failovers])),
  };
}

/** A counter below what it was has begun again, for instance since its route was removed and came back: all it has is new. */
function growth(count: number, before = 0): number {
  return count >= before ? count - before : count;
}

function setBounded<Value>(counters: Map<string, Value>, name: string, value: Value): void {
  if (counters.has(name) || counters.size < MAX_COUNTED_NAMES) counters.set(name, value);
}

/** Forgets routes and targets that the config no longer has. */
export function forgetUnnamed(totals: Totals, config: RuntimeConfig): void {
  const targets = new Set(config.routes.flatMap((route) => route.targets.map(({ id }) => id)));
  const routes = new Set(config.routes.map(({ name }) => name));
  for (const id of totals.targets.keys()) if (!targets.has(id)) totals.targets.delete(id);
  for (const name of totals.failovers.keys()) if (!routes.has(name)) totals.failovers.delete(name);
}
