import type { Fleet } from '../fleet/fleet.ts';
import type { ReconcileResult } from '../kube/reconcile-error.ts';
import type { ProxySettings } from '../workload/proxy-settings.ts';
import { workload } from '../workload/workload.ts';
import type { NamespaceBook } from './namespace-book.ts';
import type { WorkloadProblems } from './workload-problems.ts';
import type { WorkloadStore } from './workload-store.ts';

export interface WorkloadDependencies {
  book: NamespaceBook;
  fleet: Pick<Fleet, 'withdraw'>;
  workloads: WorkloadStore;
  problems: WorkloadProblems;
  /** PEM of every CA that proxies should trust now. */
  caBundle: () => string;
  settings: ProxySettings;
}

/** Brings the workload of a namespace to what its page says: all of it, or, once the last route is gone, nothing. */
export async function reconcileWorkload(
  namespace: string,
  signal: AbortSignal,
  dependencies: WorkloadDependencies,
): Promise<ReconcileResult> {
  try {
    await bringAbout(namespace, signal, dependencies);
    dependencies.problems.solved(namespace);
    return {};
  } catch (error) {
    dependencies.problems.failed(namespace, error);
    throw error;
  }
}

async function bringAbout(
  namespace: string,
  signal: AbortSignal,
  { book, fleet, workloads, caBundle, settings }: WorkloadDependencies,
): Promise<void> {
  const page = book.get(namespace);
  if (page === undefined || page.routes.size === 0) {
    await workloads.remove(namespace, signal);
    fleet.withdraw(namespace);
    return;
  }
  // Absent while the very first config is too large: there is nothing that proxies could serve.
  if (page.served) {
    const { config, encoded } = page.served;
    await workloads.apply(
      namespace,
      workload({ namespace, config, encodedConfig: encoded, caBundle: caBundle(), settings }),
      signal,
    );
  }
}
