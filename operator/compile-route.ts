import { type RuntimeRoute, type RuntimeTarget, runtimeRoute } from '../contract/runtime-config.ts';
import { parseDuration } from '../crds/duration.ts';
import type { ChainEntry, ModelRoute, ModelRouteSpec } from '../crds/model-route.ts';
import { targetId } from '../crds/names.ts';
import type { ProviderEndpoint } from '../crds/provider-endpoint.ts';
import { failureDomain } from './compile-endpoint.ts';
import { type Finding, invalid, type RouteFindings } from './findings.ts';

/** What a route is compiled against: the namespace that it stands in. */
export interface RouteSurroundings {
  endpoints: ReadonlyMap<string, ProviderEndpoint>;
  /** Endpoints that exist, and whose spec can't be read. */
  invalidEndpoints: ReadonlySet<string>;
  /** Model name → the route that answers to it. */
  modelOwners: ReadonlyMap<string, string>;
}

type Missing = { reason: 'EndpointNotFound' | 'RegionNotFound'; message: string };

/** One route → what proxies serve, and what its author should know. `runtime` is absent when nothing is left to serve. */
export function compileRoute(
  route: ModelRoute,
  surroundings: RouteSurroundings,
): { runtime?: RuntimeRoute; findings: RouteFindings } {
  const { targets, missing } = resolveChain(route.spec.chain, surroundings);
  const models = route.spec.models.filter((model) => surroundings.modelOwners.get(model) === route.metadata.name);
  const resolvedRefs = checkReferences(missing, targets.length);
  const accepted = checkAccepted(route, models, targets, surroundings);
  if (targets.length === 0 || models.length === 0) return { findings: { accepted, resolvedRefs, served: false } };
  // A proxy refuses a config as a whole, so a route that it would not take must not get into it.
  const runtime = runtimeRoute.safeParse(translate(route, models, targets));
  if (!runtime.success) return { findings: { accepted: invalid(runtime.error), resolvedRefs, served: false } };
  return { runtime: runtime.data, findings: { accepted, resolvedRefs, served: true } };
}

/** Entries → targets, in order. What does not exist is left out, and a target that appears again keeps its first place. */
function resolveChain(
  chain: readonly ChainEntry[],
  { endpoints, invalidEndpoints }: RouteSurroundings,
): { targets: RuntimeTarget[]; missing: Missing[] } {
  const targets = new Map<string, RuntimeTarget>();
  const missing: Missing[] = [];
  const steps: number[] = [];
  let written = -1;
  for (const [entry, { endpoint: name, model, region, weight }] of chain.entries()) {
    if (weight === undefined || chain[entry - 1]?.weight === undefined) written += 1;
    const endpoint = endpoints.get(name);
    if (!endpoint) {
      missing.push({ reason: 'EndpointNotFound', message: missingEndpoint(entry, name, invalidEndpoints.has(name)) });
      continue;
    }
    const regions = endpoint.spec.regions.filter((candidate) => region === undefined || candidate.name === region);
    if (regions.length === 0) missing.push({ reason: 'RegionNotFound', message: missingRegion(entry, region, endpoint) });
    for (const { name: regionName } of regions) {
      const id = targetId(name, regionName, model);
      if (targets.has(id)) continue;
      if (steps.at(-1) !== written) steps.push(written);
      // Steps of which nothing is left are not counted: the first that can be used is step 0.
      const step = steps.length - 1;
      targets.set(id, { id, endpoint: name, region: regionName, model, step, entry, weight: weight ?? 1 });
    }
  }
  return { targets: [...targets.values()], missing };
}

function missingEndpoint(entry: number, name: string, invalid: boolean): string {
  return invalid
    ? `spec.chain[${entry}]: the spec of ProviderEndpoint "${name}" is invalid, see its condition Accepted`
    : `spec.chain[${entry}]: there is no ProviderEndpoint "${name}" in this namespace: create it, or name another`;
}

function missingRegion(entry: number, region: string | undefined, endpoint: ProviderEndpoint): string {
  const present = endpoint.spec.regions.map((candidate) => candidate.name).join(', ');
  return `spec.chain[${entry}]: ProviderEndpoint "${endpoint.metadata.name}" has no region "${region}", it has: ${present}`;
}

function checkReferences(missing: readonly Missing[], targetsLeft: number): Finding<'ResolvedRefs'> {
  if (missing.length === 0) {
    return { status: 'True', reason: 'ResolvedRefs', message: 'Everything that the chain names exists.' };
  }
  const consequence = targetsLeft > 0 ? 'The rest of the chain is used.' : 'No target is left, so the route is not served.';
  const reason = missing.find((one) => one.reason === 'EndpointNotFound')?.reason ?? 'RegionNotFound';
  return { status: 'False', reason, message: `${missing.map((one) => one.message).join('; ')}. ${consequence}` };
}

/** Names that are lost come first, then calls that may fail, then what is only unwise. Every warning is in the message. */
function checkAccepted(
  route: ModelRoute,
  models: readonly string[],
  targets: readonly RuntimeTarget[],
  surroundings: RouteSurroundings,
): Finding<'Accepted'> {
  const warnings = [
    modelNameConflict(route, models, surroundings),
    modelNotListed(route, surroundings),
    singleFailureDomain(targets, surroundings),
  ].filter((warning) => warning !== undefined);
  const [first] = warnings;
  if (!first) return { status: 'True', reason: 'Accepted', message: 'The spec is valid.' };
  const message = warnings.map((warning) => warning.message).join(' ');
  return { status: models.length === 0 ? 'False' : 'True', reason: first.reason, message };
}

type Warning = { reason: Finding<'Accepted'>['reason']; message: string };

function modelNameConflict(
  route: ModelRoute,
  models: readonly string[],
  { modelOwners }: RouteSurroundings,
): Warning | undefined {
  const lost = route.spec.models.filter((model) => !models.includes(model));
  if (lost.length === 0) return undefined;
  const owners = lost.map((model) => `"${model}" belongs to the older route "${modelOwners.get(model)}"`).join(', ');
  const rest =
    models.length > 0
      ? `This route answers to: ${models.join(', ')}.`
      : 'No model name is left, so the route is not served: give it one of its own.';
  return { reason: 'ModelNameConflict', message: `Model name ${owners}. ${rest}` };
}

function modelNotListed(route: ModelRoute, { endpoints }: RouteSurroundings): Warning | undefined {
  const unlisted = route.spec.chain.filter(({ endpoint, model }) => {
    const listed = endpoints.get(endpoint)?.spec.models;
    return listed !== undefined && !listed.some((candidate) => candidate.name === model);
  });
  if (unlisted.length === 0) return undefined;
  const which = [...new Set(unlisted.map(({ endpoint, model }) => `ProviderEndpoint "${endpoint}" does not list "${model}"`))];
  return { reason: 'ModelNotListed', message: `${which.join(', ')}: add it to its spec.models, or ask for one that is there.` };
}

function singleFailureDomain(targets: readonly RuntimeTarget[], { endpoints }: RouteSurroundings): Warning | undefined {
  const domains = new Set(targets.map((target) => failureDomain(endpoints.get(target.endpoint)!)));
  const [domain] = domains;
  if (domains.size !== 1) return undefined;
  return {
    reason: 'SingleFailureDomain',
    message: `Every target is in the failure domain "${domain}", so one outage takes the route down: add a target of another provider.`,
  };
}

function translate({ metadata, spec }: ModelRoute, models: string[], targets: RuntimeTarget[]): RuntimeRoute {
  return {
    name: metadata.name,
    generation: metadata.generation ?? 0,
    models,
    targets,
    timeouts: translateTimeouts(spec.timeouts),
    retries: {
      maxAttempts: spec.retries.maxAttempts,
      sameTarget: spec.retries.sameTarget,
      budgetPercent: spec.retries.budgetPercent,
      waitUpTo: parseDuration(spec.retries.waitUpTo),
    },
    streaming: { commit: spec.streaming.commit, afterCommit: spec.streaming.afterCommit },
  };
}

/** A timeout that was left at its default may be longer than one that was not: then it is capped. */
function translateTimeouts({
  connect,
  firstContent,
  response,
  idle,
  total,
}: ModelRouteSpec['timeouts']): RuntimeRoute['timeouts'] {
  const longest = parseDuration(total);
  const content = Math.min(parseDuration(firstContent), longest);
  return {
    connect: Math.min(parseDuration(connect), content),
    firstContent: content,
    ...(response === undefined ? {} : { response: parseDuration(response) }),
    idle: Math.min(parseDuration(idle), longest),
    total: longest,
  };
}
