import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { endpointInWords } from './endpoints/endpoint-in-words.ts';
import { reconcileEndpoint } from './endpoints/reconcile-endpoint.ts';
import { createAuthenticateProxy } from './fleet/authenticate-proxy.ts';
import { createCertificateAuthority, operatorHosts } from './fleet/certificate-authority.ts';
import { createFleetServer } from './fleet/fleet-server.ts';
import { createSecretCaStore } from './fleet/secret-ca-store.ts';
import { createFleetKnowledge, SETTLING_MS } from './fleet-knowledge.ts';
import { type Clock, pause } from './kube/clock.ts';
import { createController } from './kube/controller.ts';
import type { EventRecorder } from './kube/event-recorder.ts';
import type { Change, Informer } from './kube/informer.ts';
import type { KubeClient } from './kube/kube-client.ts';
import { fromKey, type KubeObject, keyOf } from './kube/kube-object.ts';
import type { LeaderLabel } from './leader-label.ts';
import { createWorkloadStore, type WorkloadInformers } from './namespaces/create-workload-store.ts';
import { createGather } from './namespaces/gather.ts';
import type { NamespaceBook } from './namespaces/namespace-book.ts';
import { reconcileNamespace } from './namespaces/reconcile-namespace.ts';
import { reconcileWorkload } from './namespaces/reconcile-workload.ts';
import { createWorkloadProblems } from './namespaces/workload-problems.ts';
import { createRouteReconciler } from './routes/reconcile-route.ts';
import { routeInWords } from './routes/route-in-words.ts';
import type { OperatorSettings } from './settings.ts';
import { createStatusWriter } from './status-writer.ts';
import type { OperatorMetrics } from './telemetry/operator-metrics.ts';
import { PROXY_NAME } from './workload/names.ts';

/** Changes that come together, as `kubectl apply` of a directory makes them, become one config. Far below the second that it may take. */
const DEBOUNCE_MS = 50;
/** The CA can't be read while the API server is away: the term goes on trying. */
const CERTIFICATES_RETRY_MS = 1_000;
/** A leader that stops because the API server is away says so when it is back; its successor must not wait for that. */
const UNLABEL_TIMEOUT_MS = 2_000;

export interface LeadOptions {
  settings: OperatorSettings;
  client: KubeClient;
  informers: { routes: Informer<KubeObject>; endpoints: Informer<KubeObject>; workload: WorkloadInformers };
  events: EventRecorder;
  metrics: OperatorMetrics;
  label: LeaderLabel;
  /** Of this term alone. */
  registry: Registry;
  clock: Clock;
  logger: Logger;
}

/** One term of leadership: everything that only one operator may do, until the signal. Nothing of it outlives the term. */
export async function lead(signal: AbortSignal, options: LeadOptions): Promise<void> {
  const { settings, client, informers, events, metrics, label, registry, clock, logger } = options;
  const { routes, endpoints } = informers;

  const certificates = createCertificateAuthority({
    store: createSecretCaStore(client, settings.namespace),
    hosts: [...operatorHosts(settings.service, settings.namespace), ...settings.fleetHosts],
    clock,
    logger,
  });
  const authenticate = createAuthenticateProxy({ client, serviceAccount: PROXY_NAME, clock });
  await startCertificates(certificates, signal, clock, logger);
  const whenSynced = [routes, endpoints, ...Object.values(informers.workload)].map((informer) => informer.whenSynced(signal));
  const synced = await Promise.all(whenSynced).then(
    () => true,
    () => false,
  );
  if (signal.aborted || !synced) return certificates.stop();

  const fleet = createFleetServer({ listen: settings.fleet, authenticate, certificates, clock, logger, registry });
  const fleetKnown = createFleetKnowledge({ routes, fleet, clock });
  const book: NamespaceBook = new Map();
  const writer = <S extends object>(kind: string, inWords: (status: S) => unknown) =>
    createStatusWriter<S>({ client, clock, inWords, onWrite: () => metrics.statusWrites(kind) });
  const problems = createWorkloadProblems((namespace) => lookAtStatuses(namespace));
  const routeReconciler = createRouteReconciler({
    routes,
    book,
    problems,
    fleet,
    fleetKnown,
    events,
    clock,
    writer: writer('ModelRoute', routeInWords),
  });
  const endpointWriter = writer('ProviderEndpoint', endpointInWords);
  const workloads = createWorkloadStore({ client, informers: informers.workload, logger });
  const gather = createGather({ routes, endpoints });
  const caBundle = () => certificates.caBundle();

  const controller = (name: string, reconcile: Parameters<typeof createController>[0]['reconcile']) =>
    createController({ name, reconcile, logger, clock, observer: metrics.observer(name) });
  const routeController = controller('routes', (key, limit) => routeReconciler.reconcile(key, limit));
  const endpointController = controller('endpoints', (key, limit) =>
    reconcileEndpoint(key, limit, { endpoints, book, fleet, fleetKnown, writer: endpointWriter, events, clock }),
  );
  const workloadController = controller('workloads', (namespace, limit) =>
    reconcileWorkload(namespace, limit, { book, fleet, workloads, problems, caBundle, settings: settings.proxy }),
  );
  const namespaceController = controller('namespaces', (namespace) =>
    reconcileNamespace(namespace, { gather, book, fleet, workloads, clock, onTurned }),
  );

  function onTurned(namespace: string): void {
    workloadController.enqueue(namespace);
    lookAtStatuses(namespace);
  }

  function lookAtStatuses(namespace?: string): void {
    for (const route of routes.list(namespace)) routeController.enqueue(keyOf(route));
    for (const endpoint of endpoints.list(namespace)) endpointController.enqueue(keyOf(endpoint));
  }

  function lookAtNamespace({ key }: { key: string }): void {
    namespaceController.enqueueAfter(fromKey(key).namespace ?? '', DEBOUNCE_MS);
  }

  const unsubscribe = [
    routes.onChange((change) => {
      routeController.enqueue(change.key);
      if (isOfSpec(change)) lookAtNamespace(change);
    }),
    endpoints.onChange((change) => {
      endpointController.enqueue(change.key);
      if (isOfSpec(change)) lookAtNamespace(change);
    }),
    ...Object.values(informers.workload).map((informer) =>
      informer.onChange((change) => {
        if (isOfSpec(change)) lookAtNamespace(change);
      }),
    ),
    fleet.onNews((namespace) => lookAtStatuses(namespace)),
    certificates.onChange(() => {
      for (const account of informers.workload.ServiceAccount.list()) lookAtNamespace({ key: keyOf(account) });
    }),
    clock.schedule(() => lookAtStatuses(), SETTLING_MS),
  ];
  try {
    await fleet.start();
    const controllers = [namespaceController, workloadController, routeController, endpointController];
    await Promise.all([label(true, signal), ...controllers.map((one) => one.run(signal))]);
  } finally {
    for (const end of unsubscribe) end();
    certificates.stop();
    await fleet.stop();
    await label(false, AbortSignal.timeout(UNLABEL_TIMEOUT_MS));
  }
}

/** A status that was written, by us or a controller of Kubernetes, changes nothing that is to be made. A resync looks at everything. */
function isOfSpec({ object, previous }: Change<KubeObject>): boolean {
  if (!object || !previous || object === previous) return true;
  const { generation, deletionTimestamp, labels, annotations } = object.metadata;
  if (generation === undefined || generation !== previous.metadata.generation) return true;
  const declared = JSON.stringify([deletionTimestamp, labels, annotations]);
  const before = previous.metadata;
  return declared !== JSON.stringify([before.deletionTimestamp, before.labels, before.annotations]);
}

async function startCertificates(
  certificates: { start(): Promise<void> },
  signal: AbortSignal,
  clock: Clock,
  logger: Logger,
): Promise<void> {
  while (!signal.aborted) {
    try {
      return await certificates.start();
    } catch (error) {
      logger.warn({ err: error }, 'the certificates of the fleet channel can not be made yet');
      await pause(clock, CERTIFICATES_RETRY_MS, signal);
    }
  }
}
