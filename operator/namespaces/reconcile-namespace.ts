import type { Fleet } from '../fleet/fleet.ts';
import type { Clock } from '../kube/clock.ts';
import type { ReconcileResult } from '../kube/reconcile-error.ts';
import type { ProxySettings } from '../workload/proxy-settings.ts';
import { workload } from '../workload/workload.ts';
import { evaluate } from './evaluate.ts';
import type { ServedConfig } from './fit-config.ts';
import type { Gather } from './gather.ts';
import { type NamespaceBook, turnPage } from './namespace-book.ts';
import type { WorkloadStore } from './workload-store.ts';

export interface NamespaceDependencies {
  gather: Gather;
  book: NamespaceBook;
  fleet: Pick<Fleet, 'publish' | 'withdraw'>;
  workloads: WorkloadStore;
  /** PEM of every CA that proxies should trust now. */
  caBundle: () => string;
  settings: ProxySettings;
  clock: Pick<Clock, 'monotonic'>;
  /** Called when the findings or the config of a namespace may be others than before: its statuses are to be looked at. */
  onTurned: (namespace: string) => void;
}

/** Brings the proxies of a namespace to what its resources say: compile, publish, apply. Statuses follow from what is found out here. */
export async function reconcileNamespace(
  namespace: string,
  signal: AbortSignal,
  dependencies: NamespaceDependencies,
): Promise<ReconcileResult> {
  const { gather, book, fleet, workloads, settings, clock } = dependencies;
  const gathered = gather(namespace);
  if (gathered.generations.size === 0) book.delete(namespace);

  // A namespace whose routes are gone, or were never there, has no proxies. What is left of its endpoints gets a status all the same.
  const hasRoutes = gathered.routes.length > 0 || gathered.invalidRoutes.size > 0;
  const page = book.get(namespace);
  const inherited = hasRoutes && !page?.served ? workloads.storedConfig(namespace) : undefined;
  const before = hasRoutes ? (page?.served ?? inherited) : undefined;
  const { served, routes, endpoints } = evaluate(namespace, gathered, before);
  if (gathered.generations.size > 0) {
    const { generations } = gathered;
    const findings = { served: hasRoutes ? served : undefined, routes, endpoints, generations };
    book.set(namespace, turnPage(page, inherited, { ...findings, now: clock.monotonic() }));
  }
  if (hasRoutes && served) fleet.publish(namespace, served.config);
  dependencies.onTurned(namespace);

  if (!hasRoutes) {
    await workloads.remove(namespace, signal);
    fleet.withdraw(namespace);
    return {};
  }
  if (!served) return {};
  await workloads.apply(namespace, desiredWorkload(namespace, served, dependencies, settings), signal);
  return {};
}

function desiredWorkload(
  namespace: string,
  { config, encoded }: ServedConfig,
  { caBundle }: NamespaceDependencies,
  settings: ProxySettings,
) {
  return workload({ namespace, config, encodedConfig: encoded, caBundle: caBundle(), settings });
}
