import type { z } from 'zod';
import type { KubeObject } from './kube/kube-object.ts';

export type ReadResource<T> = { valid: true; resource: T } | { valid: false; error: z.ZodError };

/**
 * An object of the API server, as one of ours. A field that this version does not know is left out: a newer CRD that is applied before
 * the operator is updated must not take a route down. So is a status that can't be read: it is written anew.
 */
export function readResource<T extends { status?: unknown }>(schema: z.ZodType<T>, object: KubeObject): ReadResource<T> {
  const { status, ...declared } = object;
  const read = parseKnown(schema, declared);
  if (!read.success) return { valid: false, error: read.error };
  if (status === undefined) return { valid: true, resource: read.data };
  const withStatus = parseKnown(schema, { ...declared, status });
  return { valid: true, resource: withStatus.success ? withStatus.data : read.data };
}

/** Parses, without the fields that the schema does not know. */
export function parseKnown<T>(schema: z.ZodType<T>, value: unknown): z.ZodSafeParseResult<T> {
  const first = schema.safeParse(value);
  const unknown = first.error?.issues.filter((issue) => issue.code === 'unrecognized_keys') ?? [];
  if (unknown.length === 0) return first;
  const known = structuredClone(value);
  for (const { path, keys } of unknown) {
    const owner = path.reduce<unknown>((inner, step) => (inner as Record<PropertyKey, unknown>)[step], known);
    for (const key of keys) delete (owner as Record<string, unknown>)[key];
  }
  return schema.safeParse(known);
}
