import type { ProxyReport } from '../../contract/fleet.ts';
import type { ModelRoute } from '../../crds/model-route.ts';
import type { ProviderEndpoint } from '../../crds/provider-endpoint.ts';
import type { Compiled } from '../../operator/compile.ts';
import { endpointStatus } from '../../operator/endpoints/endpoint-status.ts';
import { type FailoverHistory, readHistory } from '../../operator/routes/failover-history.ts';
import { routeStatus } from '../../operator/routes/route-status.ts';

export interface LocalObjects {
  routes: readonly ModelRoute[];
  endpoints: readonly ProviderEndpoint[];
  compiled: Compiled;
}

export interface LocalStatus {
  /** Takes the objects that are served from now on. What is known of those that were there before is kept. */
  replace(objects: LocalObjects): void;
  /** Takes a report of the proxy, and writes every status anew. */
  update(report: ProxyReport): void;
  /** Both kinds, with their status as of the last update. */
  routes(): readonly ModelRoute[];
  endpoints(): readonly ProviderEndpoint[];
}

/** Does in one process what the operator does in a cluster: the same pure functions over the report of one proxy. */
export function createLocalStatus(now: () => number): LocalStatus {
  let objects: LocalObjects | undefined;
  let routes: readonly ModelRoute[] = [];
  let endpoints: readonly ProviderEndpoint[] = [];
  const histories = new Map<string, FailoverHistory>();

  return {
    replace(next) {
      objects = next;
      routes = keepStatus(next.routes, routes);
      endpoints = keepStatus(next.endpoints, endpoints);
      for (const name of histories.keys()) if (!routes.some(({ metadata }) => metadata.name === name)) histories.delete(name);
    },
    update(report) {
      if (objects === undefined) return;
      const { compiled } = objects;
      // The one proxy counts since this process began, as this status does: there is nothing to add up.
      const totals = new Map(report.targets.map(({ id, attempts, failures }) => [id, { attempts, failures }]));
      const received = { reports: [{ report, receivedAt: now() }], fleetKnown: true, now: now() };
      const { revision } = compiled.config;
      routes = routes.map((route) => {
        const { name } = route.metadata;
        const { status, history } = routeStatus({
          ...received,
          route,
          findings: compiled.routes.get(name)!,
          runtime: compiled.config.routes.find((runtime) => runtime.name === name),
          revision,
          equivalentRevisions: new Set([revision]),
          history: histories.get(name) ?? readHistory(undefined),
        });
        histories.set(name, history);
        return { ...route, status };
      });
      endpoints = endpoints.map((endpoint) => {
        const findings = compiled.endpoints.get(endpoint.metadata.name)!;
        return { ...endpoint, status: endpointStatus({ ...received, endpoint, findings, totals }) };
      });
    },
    routes: () => routes,
    endpoints: () => endpoints,
  };
}

/** The new objects by name, with the status of those that were there before, and never one out of a file. */
function keepStatus<S, T extends { metadata: { name: string }; status?: S }>(next: readonly T[], before: readonly T[]): T[] {
  return [...next]
    .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
    .map((object) => {
      const { status: _ofTheFile, ...rest } = object;
      const status = before.find(({ metadata }) => metadata.name === object.metadata.name)?.status;
      return { ...rest, ...(status === undefined ? {} : { status }) } as T;
    });
}
