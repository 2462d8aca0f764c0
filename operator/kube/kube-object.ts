/** The part of `metav1.ObjectMeta` that Understudy reads or writes. Times are RFC 3339 strings, as they are on the wire. */
export type ObjectMeta = {
  name: string;
  namespace?: string | undefined;
  uid?: string | undefined;
  resourceVersion?: string | undefined;
  generation?: number | undefined;
  creationTimestamp?: string | undefined;
  deletionTimestamp?: string | undefined;
  labels?: Record<string, string> | undefined;
  annotations?: Record<string, string> | undefined;
  ownerReferences?: OwnerReference[] | undefined;
  [field: string]: unknown;
};

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

/** Any Kubernetes object. A narrower type is a type alias, or an interface that extends this one. */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  [field: string]: unknown;
}

/** Where an object stands. Cluster-scoped objects have no namespace. */
export interface ObjectName {
  namespace?: string | undefined;
  name: string;
}

/** An `ObjectName` as one string, `namespace/name` or `name`: what caches and work queues are keyed by. */
export type ObjectKey = string;

export function keyOf(object: { metadata: ObjectName }): ObjectKey {
  return toKey(object.metadata);
}

export function toKey({ namespace, name }: ObjectName): ObjectKey {
  return namespace === undefined || namespace === '' ? name : `${namespace}/${name}`;
}

export function fromKey(key: ObjectKey): ObjectName {
  const slash = key.indexOf('/');
  return slash === -1 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}
