import {
  type CredentialRef,
  type RuntimeConfig,
  type RuntimeEndpoint,
  type RuntimeRoute,
  type RuntimeTarget,
  targetId,
} from '../../contract/runtime-config.ts';
import type { HealthBook } from '../health/health-book.ts';
import type { TargetRecord } from '../health/target-record.ts';

/** A target as a request needs it: where to send it, and what is known of it. */
export interface ServingTarget {
  readonly target: RuntimeTarget;
  readonly record: TargetRecord;
  readonly origin: string;
  /** Path of the base URL, without a slash at its end. */
  readonly basePath: string;
  readonly credential: CredentialRef | undefined;
  /** The one before, while the new one is not mounted yet: a change of Secret reaches a pod's config before the pod that has it. */
  readonly formerCredential: CredentialRef | undefined;
  readonly attempts: AttemptCounts;
}

/** Attempts by class, counted in plain numbers and read at a scrape: a metrics library's labels cost more than the counting. */
export type AttemptCounts = Map<string, number>;

export interface ServingRoute {
  readonly route: RuntimeRoute;
  readonly targets: readonly ServingTarget[];
  /** True when some step has more than one entry: only then is there a choice by weight. */
  readonly weighted: boolean;
}

/** One config, ready to serve. A request keeps the one that it began with. */
export interface ServingConfig {
  readonly config: RuntimeConfig;
  readonly routesByModel: ReadonlyMap<string, ServingRoute>;
  readonly routes: readonly ServingRoute[];
  /** By endpoint: the credential before the present one, for as long as a change of Secret has not reached every pod. */
  readonly formerCredentials: ReadonlyMap<string, CredentialRef>;
  /** Every region and model that is probed. */
  readonly probed: readonly { endpoint: RuntimeEndpoint; target: ServingTarget }[];
}

export function servingConfig(
  config: RuntimeConfig,
  book: HealthBook,
  counts: (targetId: string) => AttemptCounts,
  before?: ServingConfig,
): ServingConfig {
  const endpoints = new Map(config.endpoints.map((endpoint) => [endpoint.name, endpoint]));
  const formerCredentials = findFormerCredentials(config, before);
  const serve = (target: RuntimeTarget): ServingTarget => {
    const endpoint = endpoints.get(target.endpoint);
    const region = endpoint?.regions.find(({ name }) => name === target.region);
    if (endpoint === undefined || region === undefined)
      throw new Error(`target ${target.id} names an endpoint or region that is not in the config`);
    const url = new URL(region.baseURL);
    return {
      target,
      record: book.target(target.id),
      origin: url.origin,
      basePath: url.pathname.replace(/\/+$/, ''),
      credential: endpoint.credential,
      formerCredential: formerCredentials.get(endpoint.name),
      attempts: counts(target.id),
    };
  };
  const routes = config.routes.map((route): ServingRoute => {
    const entriesOfStep = new Map<number, Set<number>>();
    for (const { step, entry } of route.targets) entriesOfStep.set(step, (entriesOfStep.get(step) ?? new Set()).add(entry));
    return { route, targets: route.targets.map(serve), weighted: [...entriesOfStep.values()].some(({ size }) => size > 1) };
  });
  const routesByModel = new Map<string, ServingRoute>();
  for (const route of routes)
    for (const model of route.route.models) if (!routesByModel.has(model)) routesByModel.set(model, route);
  const probed = config.endpoints.flatMap((endpoint) => {
    const { probe } = endpoint;
    if (probe === undefined) return [];
    return endpoint.regions.map((region) => {
      const id = targetId(endpoint.name, region.name, probe.model);
      const target = { id, endpoint: endpoint.name, region: region.name, model: probe.model, step: 0, entry: 0, weight: 1 };
      return { endpoint, target: serve(target) };
    });
  });
  return { config, routesByModel, routes, probed, formerCredentials };
}

/** Only for the very same addresses: a key must not reach another host than the one it was given for. */
function findFormerCredentials(config: RuntimeConfig, before: ServingConfig | undefined): Map<string, CredentialRef> {
  const found = new Map<string, CredentialRef>();
  for (const endpoint of config.endpoints) {
    const old = before?.config.endpoints.find(({ name }) => name === endpoint.name);
    if (before === undefined || old?.credential === undefined || endpoint.credential === undefined) continue;
    const isSame = old.credential.secret === endpoint.credential.secret && old.credential.key === endpoint.credential.key;
    const former = isSame ? before.formerCredentials.get(endpoint.name) : old.credential;
    const known = new Set(old.regions.map(({ baseURL }) => new URL(baseURL).origin));
    if (former !== undefined && endpoint.regions.every(({ baseURL }) => known.has(new URL(baseURL).origin)))
      found.set(endpoint.name, former);
  }
  return found;
}
