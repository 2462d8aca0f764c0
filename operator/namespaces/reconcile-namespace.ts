import type { Fleet } from '../fleet/fleet.ts';
import type { Clock } from '../kube/clock.ts';
import type { ReconcileResult } from '../kube/reconcile-error.ts';
import { evaluate } from './evaluate.ts';
import type { Gather } from './gather.ts';
import { type NamespaceBook, turnPage } from './namespace-book.ts';
import type { WorkloadStore } from './workload-store.ts';

export interface NamespaceDependencies {
  gather: Gather;
  book: NamespaceBook;
  fleet: Pick<Fleet, 'publish'>;
  workloads: Pick<WorkloadStore, 'storedConfig'>;
  clock: Pick<Clock, 'monotonic'>;
  /** Called when the page of a namespace was turned: its workload and its statuses are to be looked at. */
  onTurned: (namespace: string) => void;
}

/**
 * What the resources of a namespace say → what its proxies are to serve, told to them at once. Asks nobody: a change in one namespace
 * does not wait for the API server to take the workload of another.
 */
export async function reconcileNamespace(
  namespace: string,
  { gather, book, fleet, workloads, clock, onTurned }: NamespaceDependencies,
): Promise<ReconcileResult> {
  const gathered = gather(namespace);
  if (gathered.generations.size === 0) {
    book.delete(namespace);
    onTurned(namespace);
    return {};
  }
  // Without routes there are no proxies. What there is of endpoints gets a status all the same.
  const hasRoutes = gathered.routes.length > 0 || gathered.invalidRoutes.size > 0;
  const page = book.get(namespace);
  const inherited = hasRoutes && !page?.served ? workloads.storedConfig(namespace) : undefined;
  const evaluated = evaluate(namespace, gathered, hasRoutes ? (page?.served ?? inherited) : undefined);

  const served = hasRoutes ? evaluated.served : undefined;
  const { generations } = gathered;
  book.set(namespace, turnPage(page, inherited, { ...evaluated, served, generations, now: clock.monotonic() }));
  if (served) fleet.publish(namespace, served.config);
  onTurned(namespace);
  return {};
}
