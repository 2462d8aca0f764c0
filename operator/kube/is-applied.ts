import { createHash } from 'node:crypto';
import type { KubeObject } from './kube-object.ts';

/** Carries the hash of what was applied last. Without it a field that is no longer wanted would look like one that someone else added. */
export const APPLIED_HASH_ANNOTATION = 'understudy.dev/applied-hash';

/**
 * Lists whose elements have keys, so that several managers share them: an element that someone else added stays, and is no reason to
 * apply again. Every other list is atomic: it is ours as a whole.
 * https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy
 */
const SHARED_LISTS: ReadonlySet<string> = new Set([
  'metadata.finalizers',
  'metadata.ownerReferences',
  'Service.spec.ports',
  ...[
    'containers',
    'containers.env',
    'containers.ports',
    'containers.volumeMounts',
    'imagePullSecrets',
    'initContainers',
    'initContainers.env',
    'initContainers.volumeMounts',
    'topologySpreadConstraints',
    'volumes',
  ].map((list) => `Deployment.spec.template.spec.${list}`),
]);

/**
 * Whether applying `desired` would change nothing. Defaults that the API server added, and fields of other managers, do not count.
 *
 * Within an atomic list there is no telling a default from a change: write its elements out in full (`protocol: 'TCP'`), and quantities
 * as the API server writes them (`'1'`, not `'1000m'`), or each comparison finds a difference.
 *
 * @param desired as `withAppliedHash` returns it
 */
export function isApplied(desired: KubeObject, live: KubeObject): boolean {
  const { kind, metadata, apiVersion: _, status: __, ...content } = desired;
  const { labels, annotations, ownerReferences, finalizers } = metadata;
  return covers({ labels, annotations, ownerReferences, finalizers }, live.metadata, 'metadata') && covers(content, live, kind);
}

/** The object with the hash of itself in an annotation. */
export function withAppliedHash<T extends KubeObject>(desired: T): T {
  const { [APPLIED_HASH_ANNOTATION]: _, ...annotations } = desired.metadata.annotations ?? {};
  const plain = { ...desired, metadata: { ...desired.metadata, annotations } };
  const hash = createHash('sha256').update(canonicalJson(plain)).digest('hex').slice(0, 16);
  return { ...plain, metadata: { ...plain.metadata, annotations: { ...annotations, [APPLIED_HASH_ANNOTATION]: hash } } };
}

/** Whether `live` says all that `desired` says. `path` names the kind and the fields down to here, without list positions. */
function covers(desired: unknown, live: unknown, path: string): boolean {
  if (Array.isArray(desired)) {
    if (!SHARED_LISTS.has(path)) return isSameJson(desired, live ?? []);
    const present: unknown[] = Array.isArray(live) ? live : [];
    return desired.every((wanted) => present.some((element) => covers(wanted, element, path)));
  }
  if (isMap(desired)) {
    const present = isMap(live) ? live : {};
    return Object.entries(desired).every(
      ([field, wanted]) =>
        wanted === undefined || (field in present ? covers(wanted, present[field], `${path}.${field}`) : isNothing(wanted)),
    );
  }
  return Object.is(desired, live);
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The API server drops these. */
function isNothing(value: unknown): boolean {
  if (value === null || value === undefined) return true;
  if (Array.isArray(value)) return value.length === 0;
  return isMap(value) && Object.values(value).every((inner) => inner === undefined);
}

/** Whether two values are the same on the wire, whatever the order of their fields. */
export function isSameJson(a: unknown, b: unknown): boolean {
  return canonicalJson(a) === canonicalJson(b);
}

/** JSON with sorted fields: equal content gives equal text. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    isMap(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner,
  );
}
