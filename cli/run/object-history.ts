import { createHash } from 'node:crypto';

/** What of an object's metadata the API server would have written. */
export interface StampedMetadata {
  name: string;
  namespace?: string | undefined;
  uid?: string | undefined;
  generation?: number | undefined;
  creationTimestamp?: string | undefined;
}

export interface Stampable {
  kind: string;
  metadata: StampedMetadata;
  spec: unknown;
}

export interface ObjectHistory {
  /** Stamps all objects of the files; the ones that are gone are forgotten. */
  stamp<T extends Stampable>(objects: readonly T[], namespace: string): T[];
}

interface Seen {
  spec: string;
  generation: number;
  creationTimestamp: string;
}

/**
 * Does for objects from files what the API server does for those that are applied to it: since when each is there, and which generation of its spec
 * this is. What the file itself says about that (`kubectl get -o yaml` writes it) is not asked: it is about a cluster.
 */
export function createObjectHistory(now: () => number): ObjectHistory {
  let seen = new Map<string, Seen>();
  return {
    stamp: (objects, namespace) => {
      const next = new Map<string, Seen>();
      const stamped = objects.map((object) => {
        const key = `${object.kind}/${namespace}/${object.metadata.name}`;
        const before = seen.get(key);
        const spec = JSON.stringify(object.spec);
        const current: Seen = {
          spec,
          generation: before === undefined ? 1 : before.spec === spec ? before.generation : before.generation + 1,
          // Whole seconds, as metav1.Time has it.
          creationTimestamp: before?.creationTimestamp ?? new Date(now()).toISOString().replace(/\.\d+Z$/, 'Z'),
        };
        next.set(key, current);
        const { generation, creationTimestamp } = current;
        const metadata = { ...object.metadata, namespace, uid: uidOf(key), generation, creationTimestamp };
        return { ...object, metadata };
      });
      seen = next;
      return stamped;
    },
  };
}

/** A uid of the usual form, the same at every start. */
function uidOf(key: string): string {
  const hex = createHash('sha256').update(key).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}
