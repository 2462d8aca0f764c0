import { PROXY_GONE_AFTER_MS } from '../contract/fleet.ts';
import type { ModelRouteStatus } from '../crds/model-route.ts';
import type { Fleet } from './fleet/fleet.ts';
import type { Clock } from './kube/clock.ts';
import type { Informer } from './kube/informer.ts';
import type { KubeObject } from './kube/kube-object.ts';

/** A proxy that was connected to an operator before this one tries again within its longest delay, and then reports. */
export const SETTLING_MS = PROXY_GONE_AFTER_MS + 3_000;

export interface FleetKnowledgeOptions {
  routes: Pick<Informer<KubeObject>, 'list'>;
  fleet: Pick<Fleet, 'reports'>;
  clock: Pick<Clock, 'monotonic'>;
}

/**
 * Whether what the proxies of a namespace report can be told. An operator that has just begun knows of none: to say so would turn every
 * status to `Unknown` at each restart. It is told as soon as as many are ready as the statuses speak of, or when all had their time.
 */
export function createFleetKnowledge({ routes, fleet, clock }: FleetKnowledgeOptions): (namespace: string) => boolean {
  const settledAt = clock.monotonic() + SETTLING_MS;
  const known = new Set<string>();
  return (namespace) => {
    if (clock.monotonic() >= settledAt) {
      known.clear();
      return true;
    }
    if (known.has(namespace)) return true;
    const ready = fleet.reports(namespace).filter(({ report }) => report.ready).length;
    const expected = routes.list(namespace).map(({ status }) => (status as ModelRouteStatus | undefined)?.proxies?.ready ?? 0);
    if (ready < Math.max(0, ...expected)) return false;
    known.add(namespace);
    return true;
  };
}
