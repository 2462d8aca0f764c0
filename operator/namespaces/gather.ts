import type { z } from 'zod';
import { type ModelRoute, modelRoute } from '../../crds/model-route.ts';
import { type ProviderEndpoint, providerEndpoint } from '../../crds/provider-endpoint.ts';
import { type Finding, invalid } from '../findings.ts';
import type { Informer } from '../kube/informer.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { type ReadResource, readResource } from '../read-resource.ts';

/** The resources of one namespace, read. */
export interface Gathered {
  routes: ModelRoute[];
  endpoints: ProviderEndpoint[];
  /** Name → why the spec can't be read. Where an older one could, that one is among the routes (endpoints) and goes on. */
  invalidRoutes: Map<string, Finding<'Accepted'>>;
  invalidEndpoints: Map<string, Finding<'Accepted'>>;
  /** uid → generation, of every resource. */
  generations: Map<string, number>;
}

export type Gather = (namespace: string) => Gathered;

export interface GatherSources {
  routes: Pick<Informer<KubeObject>, 'list'>;
  endpoints: Pick<Informer<KubeObject>, 'list'>;
}

/** Reads from the local copies; asks nobody. An object is read once a version. */
export function createGather({ routes, endpoints }: GatherSources): Gather {
  const readRoutes = createReader<ModelRoute>(modelRoute as z.ZodType<ModelRoute>);
  const readEndpoints = createReader<ProviderEndpoint>(providerEndpoint as z.ZodType<ProviderEndpoint>);
  return (namespace) => {
    const objects = { routes: routes.list(namespace), endpoints: endpoints.list(namespace) };
    const gatheredRoutes = readRoutes(namespace, objects.routes);
    const gatheredEndpoints = readEndpoints(namespace, objects.endpoints);
    return {
      routes: gatheredRoutes.usable,
      invalidRoutes: gatheredRoutes.invalid,
      endpoints: gatheredEndpoints.usable,
      invalidEndpoints: gatheredEndpoints.invalid,
      generations: new Map(
        [...objects.routes, ...objects.endpoints].map(({ metadata }) => [metadata.uid ?? '', metadata.generation ?? 0]),
      ),
    };
  };
}

interface Read<T> {
  version: KubeObject;
  result: ReadResource<T>;
  lastValid: T | undefined;
}

type ReadAll<T> = (namespace: string, objects: readonly KubeObject[]) => { usable: T[]; invalid: Gathered['invalidRoutes'] };

function createReader<T extends { status?: unknown }>(schema: z.ZodType<T>): ReadAll<T> {
  const namespaces = new Map<string, Map<string, Read<T>>>();
  return (namespace, objects) => {
    const before = namespaces.get(namespace);
    const now = new Map(
      objects.map((object) => [object.metadata.name, readOnce(schema, object, before?.get(object.metadata.name))]),
    );
    if (now.size === 0) namespaces.delete(namespace);
    else namespaces.set(namespace, now);
    const usable = [...now.values()].flatMap(({ lastValid }) => (lastValid === undefined ? [] : [lastValid]));
    const refused = [...now].flatMap(([name, { result }]) => (result.valid ? [] : [[name, invalid(result.error)] as const]));
    return { usable, invalid: new Map(refused) };
  };
}

function readOnce<T extends { status?: unknown }>(
  schema: z.ZodType<T>,
  version: KubeObject,
  before: Read<T> | undefined,
): Read<T> {
  if (before?.version === version) return before;
  const result = readResource(schema, version);
  const isNamesake = before !== undefined && before.version.metadata.uid !== version.metadata.uid;
  return { version, result, lastValid: result.valid ? result.resource : isNamesake ? undefined : before?.lastValid };
}
