import { type ModelRouteStatus, modelRouteStatus } from '../../crds/model-route.ts';
import { conditionEvents } from '../condition-events.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { Clock } from '../kube/clock.ts';
import type { EventRecorder } from '../kube/event-recorder.ts';
import type { Informer } from '../kube/informer.ts';
import { fromKey, type KubeObject, type ObjectKey } from '../kube/kube-object.ts';
import type { ReconcileResult } from '../kube/reconcile-error.ts';
import { type NamespaceBook, type NamespacePage, servedRoute } from '../namespaces/namespace-book.ts';
import type { WorkloadProblems } from '../namespaces/workload-problems.ts';
import { parseKnown } from '../read-resource.ts';
import type { StatusWriter } from '../status-writer.ts';
import { failoverEvents } from './failover-events.ts';
import { type FailoverHistory, readHistory } from './failover-history.ts';
import { routeStatus } from './route-status.ts';

/**
 * Proxies acknowledge a revision within this, as a rule: a status that is only waiting for them is written once, when they have.
 * Longer would hide a proxy that is stuck.
 */
export const PROGRAMMING_GRACE_MS = 500;

export interface RouteDependencies {
  routes: Pick<Informer<KubeObject>, 'get'>;
  book: NamespaceBook;
  problems: Pick<WorkloadProblems, 'of'>;
  fleet: Pick<Fleet, 'reports' | 'acknowledge'>;
  /** Whether the proxies of a namespace have had time to report. */
  fleetKnown: (namespace: string) => boolean;
  writer: StatusWriter<ModelRouteStatus>;
  events: Pick<EventRecorder, 'record'>;
  clock: Pick<Clock, 'now' | 'monotonic'>;
}

export interface RouteReconciler {
  reconcile(key: ObjectKey, signal: AbortSignal): Promise<ReconcileResult>;
}

/** Keeps the status of each route in step with what its namespace serves and what the proxies report. */
export function createRouteReconciler(dependencies: RouteDependencies): RouteReconciler {
  const { routes, book, problems, fleet, fleetKnown, writer, events, clock } = dependencies;
  /** What happened to each route, by its key: a namesake that comes later has another uid, and begins anew. */
  const histories = new Map<ObjectKey, { uid: string | undefined; history: FailoverHistory }>();

  function historyOf(key: ObjectKey, object: KubeObject, status: ModelRouteStatus | undefined): FailoverHistory {
    const known = histories.get(key);
    return known && known.uid === object.metadata.uid ? known.history : readHistory(status);
  }

  return {
    async reconcile(key, signal) {
      const object = routes.get(key);
      if (!object) {
        histories.delete(key);
        writer.forget(key);
        return {};
      }
      const { namespace = '', name } = fromKey(key);
      const page = book.get(namespace);
      const findings = page?.routes.get(name);
      // The namespace is reconciled first, and then asks for this again.
      if (!page || !findings || !isAbout(page, object)) return {};

      const before = writer.present(object, readStatus(object));
      const history = historyOf(key, object, before);
      const reports = fleet.reports(namespace);
      const { status, history: folded } = routeStatus({
        route: { metadata: object.metadata, status: before },
        findings,
        ...servedRoute(page, name, before?.proxies?.revision),
        reports,
        workloadProblem: problems.of(namespace),
        fleetKnown: fleetKnown(namespace),
        history,
        now: clock.now(),
      });

      const graceLeft = page.publishedAt + PROGRAMMING_GRACE_MS - clock.monotonic();
      if (isPending(status) && graceLeft > 0) return { requeueAfterMs: Math.ceil(graceLeft) };

      const { outcome, result } = await writer.write(object, before, status, signal);
      if (outcome === 'Pending') return result;
      histories.set(key, { uid: object.metadata.uid, history: folded });
      const notes = [...conditionEvents(before?.conditions, status.conditions), ...failoverEvents(history, folded)];
      for (const note of notes) events.record(object, note);
      fleet.acknowledge(namespace, taken(reports, name));
      return result;
    },
  };
}

/** Whether the findings are about this very version of the spec. */
function isAbout({ generations }: NamespacePage, { metadata }: KubeObject): boolean {
  return generations.get(metadata.uid ?? '') === (metadata.generation ?? 0);
}

function readStatus(object: KubeObject): ModelRouteStatus | undefined {
  return object.status === undefined ? undefined : parseKnown(modelRouteStatus, object.status).data;
}

function isPending({ conditions }: ModelRouteStatus): boolean {
  return conditions?.some(({ type, reason }) => type === 'Programmed' && reason === 'Pending') ?? false;
}

/** The failovers that are in the status now. */
function taken(reports: ReturnType<Fleet['reports']>, route: string) {
  return reports.flatMap(({ report: { proxy, instance, failovers } }) =>
    failovers
      .filter((record) => record.route === route)
      .map(({ id, returned }) => ({ proxy, instance, id, ...(returned === undefined ? {} : { returned }) })),
  );
}
