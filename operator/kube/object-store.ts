import type { Change } from './informer.ts';
import { type KubeObject, keyOf, type ObjectKey } from './kube-object.ts';

/** The objects of a collection as they were last seen. Each write returns what changed by it, so that nothing is told twice or not at all. */
export class ObjectStore<T extends KubeObject> {
  readonly #objects = new Map<ObjectKey, T>();

  get(key: ObjectKey): T | undefined {
    return this.#objects.get(key);
  }

  list(namespace?: string): T[] {
    const all = [...this.#objects.values()];
    return namespace === undefined ? all : all.filter((object) => object.metadata.namespace === namespace);
  }

  get size(): number {
    return this.#objects.size;
  }

  set(object: T): Change<T>[] {
    const key = keyOf(object);
    const previous = this.#objects.get(key);
    this.#objects.set(key, object);
    if (!previous) return [{ key, object }];
    if (isSameVersion(previous, object)) return [];
    // Deleted and made anew while nobody was looking: two objects, and the first one's end must not be missed.
    if (previous.metadata.uid !== object.metadata.uid)
      return [
        { key, previous },
        { key, object },
      ];
    return [{ key, object, previous }];
  }

  /** `object` is its last state. A namesake that came later stays. */
  delete(object: T): Change<T>[] {
    const key = keyOf(object);
    const previous = this.#objects.get(key);
    if (!previous || previous.metadata.uid !== object.metadata.uid) return [];
    this.#objects.delete(key);
    return [{ key, previous: object }];
  }

  /** Takes a whole list; what is no longer in it was deleted. */
  replace(objects: readonly T[]): Change<T>[] {
    const present = new Set(objects.map(keyOf));
    const gone = [...this.#objects.values()].filter((object) => !present.has(keyOf(object)));
    return [...gone.flatMap((object) => this.delete(object)), ...objects.flatMap((object) => this.set(object))];
  }
}

function isSameVersion(a: KubeObject, b: KubeObject): boolean {
  if (a.metadata.uid !== b.metadata.uid) return false;
  return a.metadata.resourceVersion === b.metadata.resourceVersion;
}
