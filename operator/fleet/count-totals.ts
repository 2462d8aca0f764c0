import type { ProxyReport } from '../../contract/fleet.ts';
import type { RuntimeConfig } from '../../contract/runtime-config.ts';
import { targetId } from '../../crds/names.ts';
import type { FleetTotals } from './fleet.ts';

/** Targets of one namespace that are counted: far above what a config holds, so that no report can fill the memory. */
export const MAX_COUNTED_TARGETS = 10_000;

/** The counters of one namespace. */
export interface Totals extends FleetTotals {
  targets: Map<string, { attempts: number; failures: number }>;
}

/** What one instance had counted when it was last heard. Kept for a while after it is gone, since it may only have been out of reach. */
export interface Counted {
  instance: string;
  targets: ReadonlyMap<string, { attempts: number; failures: number }>;
}

export function noTotals(): Totals {
  return { targets: new Map() };
}

/**
 * Adds what a proxy counted since it was last heard, and returns what it has counted now. An instance that restarted counts from 0
 * again: all it has is new. So totals only grow.
 */
export function countReport(totals: Totals, report: ProxyReport, last: Counted | undefined): Counted {
  const before = last?.instance === report.instance ? last : undefined;
  for (const { id, attempts, failures } of report.targets) {
    if (!totals.targets.has(id) && totals.targets.size >= MAX_COUNTED_TARGETS) continue;
    const counted = before?.targets.get(id);
    const total = totals.targets.get(id) ?? { attempts: 0, failures: 0 };
    totals.targets.set(id, {
      attempts: total.attempts + growth(attempts, counted?.attempts),
      failures: total.failures + growth(failures, counted?.failures),
    });
  }
  return {
    instance: report.instance,
    targets: new Map(report.targets.map(({ id, attempts, failures }) => [id, { attempts, failures }])),
  };
}

/** A counter below what it was has begun again, for instance since its target was removed and came back: all it has is new. */
function growth(count: number, before = 0): number {
  return count >= before ? count - before : count;
}

/** Forgets targets that the config no longer has: of a route, or only probed. */
export function forgetUnnamed(totals: Totals, config: RuntimeConfig): void {
  const ofRoutes = config.routes.flatMap((route) => route.targets.map(({ id }) => id));
  const probed = config.endpoints.flatMap(({ name, regions, probe }) =>
    probe === undefined ? [] : regions.map((region) => targetId(name, region.name, probe.model)),
  );
  const named = new Set([...ofRoutes, ...probed]);
  for (const id of totals.targets.keys()) if (!named.has(id)) totals.targets.delete(id);
}
