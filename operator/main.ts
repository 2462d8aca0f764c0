import { randomBytes } from 'node:crypto';
import process from 'node:process';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import manifest from '../package.json' with { type: 'json' };
import { type Clock, systemClock } from './kube/clock.ts';
import { connectToCluster } from './kube/connect-to-cluster.ts';
import { createEventRecorder } from './kube/create-event-recorder.ts';
import { createInformer } from './kube/create-informer.ts';
import { createKubeClient } from './kube/create-kube-client.ts';
import type { KubeObject } from './kube/kube-object.ts';
import { createLeaderElection } from './kube/leader-election.ts';
import { RESOURCES, type Resource } from './kube/resources.ts';
import { lead } from './lead.ts';
import { createLeaderLabel } from './leader-label.ts';
import type { WorkloadInformers } from './namespaces/create-workload-store.ts';
import { HELP, type OperatorSettings, readSettings, SettingsError } from './settings.ts';
import { createAdminServer } from './telemetry/admin-server.ts';
import { createOperatorMetrics } from './telemetry/operator-metrics.ts';
import { WORKLOAD_SELECTOR } from './workload/names.ts';

/** Name of the Lease in the operator's namespace. */
const LEASE_NAME = 'understudy-operator';
const EXIT_USAGE = 2;
/** Without an API server there is no leader to be either: it is not waited for. */
const FORGET_TIMEOUT_MS = 5_000;

/** `understudy operator …`: runs until SIGTERM or SIGINT. Resolves with the exit code. */
export async function runOperator(argv: readonly string[]): Promise<number> {
  try {
    const settings = readSettings(argv, process.env);
    if (settings !== undefined) return await operate(settings, stopSignal());
    process.stdout.write(`${HELP}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    process.stderr.write(`understudy operator: ${error.message}\n`);
    return EXIT_USAGE;
  }
}

/** The wiring of the whole process. */
async function operate(settings: OperatorSettings, told: AbortSignal, clock: Clock = systemClock): Promise<number> {
  // Also when the operator ends by a fault of its own, everything that it began ends with it.
  const ending = new AbortController();
  const signal = AbortSignal.any([told, ending.signal]);
  const logger = pino({ level: settings.logLevel, base: { component: 'operator', replica: settings.identity } });
  const registry = new Registry();
  const metrics = createOperatorMetrics(registry);
  let term: Registry | undefined;

  const { kubeconfig, context } = settings;
  const transport = connectToCluster({ kubeconfig, context, userAgent: `understudy-operator/${manifest.version}` });
  const client = createKubeClient(transport);
  const informerOf = (resource: Resource, labelSelector?: string) =>
    createInformer<KubeObject>({
      transport,
      resource,
      logger,
      clock,
      selection: labelSelector ? { labelSelector } : {},
      observe: metrics.informer(resource.kind),
    });
  const workload: WorkloadInformers = {
    ServiceAccount: informerOf(RESOURCES.ServiceAccount, WORKLOAD_SELECTOR),
    ConfigMap: informerOf(RESOURCES.ConfigMap, WORKLOAD_SELECTOR),
    Service: informerOf(RESOURCES.Service, WORKLOAD_SELECTOR),
    PodDisruptionBudget: informerOf(RESOURCES.PodDisruptionBudget, WORKLOAD_SELECTOR),
    Deployment: informerOf(RESOURCES.Deployment, WORKLOAD_SELECTOR),
  };
  const informers = { routes: informerOf(RESOURCES.ModelRoute), endpoints: informerOf(RESOURCES.ProviderEndpoint), workload };
  const all = [informers.routes, informers.endpoints, ...Object.values(workload)];
  const pod = settings.pod === undefined ? undefined : { namespace: settings.namespace, name: settings.pod };
  const label = createLeaderLabel(ending.signal, { client, pod, clock, logger });
  const events = createEventRecorder({ client, instance: settings.identity, logger, clock, observe: metrics.events });

  const election = createLeaderElection({
    client,
    lease: { namespace: settings.namespace, name: LEASE_NAME },
    identity: `${settings.identity}_${randomBytes(4).toString('hex')}`,
    lead: (untilLost) => {
      term = new Registry();
      return lead(untilLost, { settings, client, informers, events, metrics, label, registry: term, clock, logger });
    },
    onStartedLeading: () => metrics.leader.set(1),
    onStoppedLeading: () => metrics.leader.set(0),
    logger,
    clock,
  });
  const admin = createAdminServer({
    listen: settings.admin,
    registries: () => [registry, ...(term ? [term] : [])],
    notReady: () =>
      all.every((informer) => informer.hasSynced()) ? undefined : 'the first lists of the API server are not in yet',
  });

  const address = await admin.start();
  logger.info({ version: manifest.version, admin: address }, 'the operator begins');
  const resync = setInterval(() => {
    for (const informer of all) informer.resync();
  }, settings.resyncIntervalMs);
  const background = [...all.map((informer) => informer.run(signal)), events.run(signal)];
  try {
    // A container that died as leader, and was started again in the same pod, may be a follower now.
    await label(false, AbortSignal.timeout(FORGET_TIMEOUT_MS));
    await election.run(signal);
    // An election that ends by itself is a fault: the kubelet starts the operator anew, and the proxies go on meanwhile.
    return told.aborted ? 0 : 1;
  } finally {
    ending.abort();
    clearInterval(resync);
    await Promise.all(background);
    await admin.stop();
    await transport.close();
    logger.info('the operator has ended');
  }
}

/** Aborted at the first SIGTERM or SIGINT; a second one ends the process at once. */
function stopSignal(): AbortSignal {
  const stop = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => stop.abort());
  return stop.signal;
}
