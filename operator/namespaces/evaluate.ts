import type { RuntimeConfig } from '../../contract/runtime-config.ts';
import { compile } from '../compile.ts';
import { routeFingerprint } from '../config-revision.ts';
import type { EndpointFindings, Finding, RouteFindings } from '../findings.ts';
import { CONFIG_LIMITS, type ConfigLimits, type Fit, fitConfig, type ServedConfig } from './fit-config.ts';
import type { Gathered } from './gather.ts';

export interface Evaluation {
  /** What is to be served; `undefined` only while the very first config is too large. */
  served: ServedConfig | undefined;
  routes: Map<string, RouteFindings>;
  endpoints: Map<string, EndpointFindings>;
}

/** The resources of a namespace, and what is served of it → what to serve now, and what to say of each resource. Pure. */
export function evaluate(
  namespace: string,
  gathered: Gathered,
  before: ServedConfig | undefined,
  limits: ConfigLimits = CONFIG_LIMITS,
): Evaluation {
  const { routes, endpoints, invalidRoutes, invalidEndpoints } = gathered;
  const compiled = compile({ namespace, routes, endpoints, invalidEndpoints: new Set(invalidEndpoints.keys()) });
  const fit = fitConfig(compiled.config, before, limits);
  if (!fit.fits) refuseChanges(compiled.routes, compiled.config, fit.served, tooLarge(fit, limits));
  for (const [name, accepted] of invalidRoutes) {
    compiled.routes.set(name, { resolvedRefs: UNREAD, served: false, ...compiled.routes.get(name), accepted });
  }
  for (const [name, accepted] of invalidEndpoints) {
    compiled.endpoints.set(name, { used: false, ...compiled.endpoints.get(name), accepted });
  }
  return { served: fit.served, routes: compiled.routes, endpoints: compiled.endpoints };
}

const UNREAD: Finding<'ResolvedRefs'> = {
  status: 'Unknown',
  reason: 'ResolvedRefs',
  message: 'The spec can not be read.',
};

/** Every route that would be another than the one that is served. */
function refuseChanges(
  routes: Map<string, RouteFindings>,
  config: RuntimeConfig,
  served: ServedConfig | undefined,
  message: string,
): void {
  for (const route of config.routes) {
    if (served?.fingerprints.get(route.name) === routeFingerprint(route, config.endpoints)) continue;
    const accepted = { status: 'False', reason: 'ConfigTooLarge', message } as const;
    routes.set(route.name, { ...routes.get(route.name)!, accepted, served: served?.fingerprints.has(route.name) ?? false });
  }
}

function tooLarge({ limit, bytes }: Extract<Fit, { fits: false }>, limits: ConfigLimits): string {
  const where = { stored: 'compressed, and a ConfigMap takes', pushed: 'and a message to a proxy may have' }[limit];
  return `The config of this namespace would have ${bytes} bytes, ${where} ${limits[limit]}: move routes to another namespace. What served before goes on.`;
}
