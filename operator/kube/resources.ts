import type { ModelRoute } from '../../crds/model-route.ts';
import { API_VERSION } from '../../crds/names.ts';
import type { ProviderEndpoint } from '../../crds/provider-endpoint.ts';
import type { KubeObject, ObjectName } from './kube-object.ts';

/** How a kind is addressed. `T` is the type of its objects; it has no value at run time. */
export interface Resource<T extends KubeObject = KubeObject> {
  readonly apiVersion: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  readonly objects?: T;
}

function resource<T extends KubeObject = KubeObject>(
  apiVersion: string,
  kind: string,
  plural: string,
  scope: 'Namespaced' | 'Cluster' = 'Namespaced',
): Resource<T> {
  return { apiVersion, kind, plural, namespaced: scope === 'Namespaced' };
}

/** Every kind that the operator touches. A kind that is missing here can't be applied: add its line. */
export const RESOURCES = {
  ModelRoute: resource<ModelRoute & KubeObject>(API_VERSION, 'ModelRoute', 'modelroutes'),
  ProviderEndpoint: resource<ProviderEndpoint & KubeObject>(API_VERSION, 'ProviderEndpoint', 'providerendpoints'),
  Deployment: resource('apps/v1', 'Deployment', 'deployments'),
  Pod: resource('v1', 'Pod', 'pods'),
  Service: resource('v1', 'Service', 'services'),
  ServiceAccount: resource('v1', 'ServiceAccount', 'serviceaccounts'),
  ConfigMap: resource('v1', 'ConfigMap', 'configmaps'),
  Secret: resource('v1', 'Secret', 'secrets'),
  Namespace: resource('v1', 'Namespace', 'namespaces', 'Cluster'),
  PodDisruptionBudget: resource('policy/v1', 'PodDisruptionBudget', 'poddisruptionbudgets'),
  NetworkPolicy: resource('networking.k8s.io/v1', 'NetworkPolicy', 'networkpolicies'),
  Lease: resource('coordination.k8s.io/v1', 'Lease', 'leases'),
  Event: resource('events.k8s.io/v1', 'Event', 'events'),
  TokenReview: resource('authentication.k8s.io/v1', 'TokenReview', 'tokenreviews', 'Cluster'),
} as const satisfies Record<string, Resource>;

const byKind = new Map<string, Resource>(Object.values(RESOURCES).map((entry) => [`${entry.apiVersion}/${entry.kind}`, entry]));

/** The line of `RESOURCES` that an object belongs to. Throws a `TypeError` for a kind that has none. */
export function resourceOf(object: Pick<KubeObject, 'apiVersion' | 'kind'>): Resource {
  const found = byKind.get(`${object.apiVersion}/${object.kind}`);
  if (!found) throw new TypeError(`no resource is known for ${object.apiVersion} ${object.kind}: add it to RESOURCES`);
  return found;
}

/** URL path of a collection (all namespaces when none is given). */
export function collectionPath(of: Resource, namespace?: string): string {
  const root = of.apiVersion.includes('/') ? `/apis/${of.apiVersion}` : `/api/${of.apiVersion}`;
  const scope = of.namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  return `${root}${scope}/${of.plural}`;
}

/** URL path of one object. Throws a `TypeError` when a namespaced object names no namespace. */
export function objectPath(of: Resource, { namespace, name }: ObjectName, subresource?: 'status'): string {
  if (of.namespaced && !namespace) throw new TypeError(`${of.kind} ${name} has no namespace`);
  const path = `${collectionPath(of, of.namespaced ? namespace : undefined)}/${encodeURIComponent(name)}`;
  return subresource ? `${path}/${subresource}` : path;
}
