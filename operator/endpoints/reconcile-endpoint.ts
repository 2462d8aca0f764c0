import { type ProviderEndpointSpec, type ProviderEndpointStatus, providerEndpointStatus } from '../../crds/provider-endpoint.ts';
import { conditionEvents } from '../condition-events.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { Clock } from '../kube/clock.ts';
import type { EventRecorder } from '../kube/event-recorder.ts';
import type { Informer } from '../kube/informer.ts';
import { fromKey, type KubeObject, type ObjectKey } from '../kube/kube-object.ts';
import type { ReconcileResult } from '../kube/reconcile-error.ts';
import type { NamespaceBook } from '../namespaces/namespace-book.ts';
import { parseKnown } from '../read-resource.ts';
import type { StatusWriter } from '../status-writer.ts';
import { endpointStatus } from './endpoint-status.ts';

export interface EndpointDependencies {
  endpoints: Pick<Informer<KubeObject>, 'get'>;
  book: NamespaceBook;
  fleet: Pick<Fleet, 'reports' | 'totals'>;
  /** Whether the proxies of a namespace have had time to report. */
  fleetKnown: (namespace: string) => boolean;
  writer: StatusWriter<ProviderEndpointStatus>;
  events: Pick<EventRecorder, 'record'>;
  clock: Pick<Clock, 'now'>;
}

/** Keeps the status of an endpoint in step with what the proxies report of it. */
export async function reconcileEndpoint(
  key: ObjectKey,
  signal: AbortSignal,
  { endpoints, book, fleet, fleetKnown, writer, events, clock }: EndpointDependencies,
): Promise<ReconcileResult> {
  const object = endpoints.get(key);
  if (!object) {
    writer.forget(key);
    return {};
  }
  const { namespace = '', name } = fromKey(key);
  const page = book.get(namespace);
  const findings = page?.endpoints.get(name);
  // The namespace is reconciled first, and then asks for this again.
  if (!page || !findings || page.generations.get(object.metadata.uid ?? '') !== (object.metadata.generation ?? 0)) return {};

  const before = writer.present(object, readStatus(object));
  const status = endpointStatus({
    endpoint: { metadata: object.metadata, spec: readSpec(object), status: before },
    findings,
    reports: fleet.reports(namespace),
    totals: fleet.totals(namespace).targets,
    fleetKnown: fleetKnown(namespace),
    now: clock.now(),
  });
  const { outcome, result } = await writer.write(object, before, status, signal);
  if (outcome === 'Written') {
    for (const note of conditionEvents(before?.conditions, status.conditions)) events.record(object, note);
  }
  return result;
}

function readStatus(object: KubeObject): ProviderEndpointStatus | undefined {
  return object.status === undefined ? undefined : parseKnown(providerEndpointStatus, object.status).data;
}

/** Only what a status is about. The API server has checked the shape; a spec that is invalid all the same has no regions to tell of. */
function readSpec(object: KubeObject): Pick<ProviderEndpointSpec, 'regions' | 'credentials'> {
  const { regions, credentials } = object.spec as Partial<ProviderEndpointSpec>;
  return { regions: regions ?? [], credentials };
}
