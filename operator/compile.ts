import { RUNTIME_CONFIG_VERSION, type RuntimeConfig, type RuntimeRoute, runtimeEndpoint } from '../contract/runtime-config.ts';
import type { ModelRoute } from '../crds/model-route.ts';
import type { ProviderEndpoint } from '../crds/provider-endpoint.ts';
import { byAge, claimModels } from './claim-models.ts';
import { compileEndpoint } from './compile-endpoint.ts';
import { compileRoute } from './compile-route.ts';
import { configRevision } from './config-revision.ts';
import { type EndpointFindings, type Finding, invalid, type RouteFindings } from './findings.ts';

export interface CompileInput {
  namespace: string;
  endpoints: readonly ProviderEndpoint[];
  routes: readonly ModelRoute[];
  /** Names of endpoints that exist, and whose spec can't be read. */
  invalidEndpoints?: ReadonlySet<string>;
}

export interface Compiled {
  config: RuntimeConfig;
  /** By name, one for every route that was given. */
  routes: Map<string, RouteFindings>;
  /** By name, one for every endpoint that was given. */
  endpoints: Map<string, EndpointFindings>;
}

/**
 * The resources of one namespace → what its proxies serve by. Pure, and independent of the order of its input:
 * equal resources give an equal revision. What is wrong with one route never takes another one down.
 */
export function compile({ namespace, endpoints, routes, invalidEndpoints = new Set() }: CompileInput): Compiled {
  const { usable, refused } = sortOut(endpoints);
  const surroundings = {
    endpoints: usable,
    invalidEndpoints: new Set([...invalidEndpoints, ...refused.keys()]),
    modelOwners: claimModels(routes),
  };

  const findings = new Map<string, RouteFindings>();
  const served: RuntimeRoute[] = [];
  for (const route of [...routes].sort(byAge)) {
    const compiled = compileRoute(route, surroundings);
    findings.set(route.metadata.name, compiled.findings);
    if (compiled.runtime) served.push(compiled.runtime);
  }

  const askedModels = firstAskedModels(served);
  const content = {
    version: RUNTIME_CONFIG_VERSION,
    namespace,
    endpoints: [...askedModels].map(([name, model]) => compileEndpoint(usable.get(name)!, model)).sort(byName),
    routes: served.sort(byName),
  } as const;
  return {
    config: { ...content, revision: configRevision(content) },
    routes: findings,
    endpoints: new Map(
      endpoints.map(({ metadata: { name } }) => [name, { accepted: refused.get(name) ?? VALID, used: askedModels.has(name) }]),
    ),
  };
}

const VALID: Finding<'Accepted'> = { status: 'True', reason: 'Accepted', message: 'The spec is valid.' };

/** A proxy refuses a config as a whole, so an endpoint that it would not take must not get into it. */
function sortOut(endpoints: readonly ProviderEndpoint[]): {
  usable: Map<string, ProviderEndpoint>;
  refused: Map<string, Finding<'Accepted'>>;
} {
  const usable = new Map<string, ProviderEndpoint>();
  const refused = new Map<string, Finding<'Accepted'>>();
  for (const endpoint of endpoints) {
    const runtime = runtimeEndpoint.safeParse(compileEndpoint(endpoint, undefined));
    if (runtime.success) usable.set(endpoint.metadata.name, endpoint);
    else refused.set(endpoint.metadata.name, invalid(runtime.error));
  }
  return { usable, refused };
}

/** Endpoint → the first model that the oldest route asks of it. An endpoint that no served route uses is not in it. */
function firstAskedModels(routesByAge: readonly RuntimeRoute[]): Map<string, string> {
  const models = new Map<string, string>();
  for (const { targets } of routesByAge) {
    for (const { endpoint, model } of targets) {
      if (!models.has(endpoint)) models.set(endpoint, model);
    }
  }
  return models;
}

function byName(a: { name: string }, b: { name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
