import type { z } from 'zod';
import { applyDefaults } from './apply-defaults.ts';
import { checkRules } from './check-rules.ts';
import { checkShape } from './check-shape.ts';
import { isObject } from './is-object.ts';
import { KINDS, type Kind } from './kinds.ts';
import { type ModelRoute, modelRoute } from './model-route.ts';
import { API_VERSION } from './names.ts';
import type { Problem } from './problem.ts';
import { type ProviderEndpoint, providerEndpoint } from './provider-endpoint.ts';
import type { StructuralSchema } from './structural-schema.ts';

/** A resource with its defaults filled in, or everything that is wrong with it. */
export type Validated<T> = { ok: true; resource: T } | { ok: false; problems: Problem[] };

/**
 * Checks an object of either kind without an API server, as one would: defaults, shape and rules come from the same schemas as the CRDs.
 * Status is not looked at: whoever writes YAML does not write it, and the API server would ignore it.
 */
export function validateResource(object: unknown): Validated<ModelRoute | ProviderEndpoint> {
  const kind = isObject(object) ? object.kind : undefined;
  if (kind === 'ModelRoute') return parseModelRoute(object);
  if (kind === 'ProviderEndpoint') return parseProviderEndpoint(object);
  return refused([{ path: ['kind'], message: 'must be ModelRoute or ProviderEndpoint' }]);
}

export function parseModelRoute(object: unknown): Validated<ModelRoute> {
  return parse('ModelRoute', modelRoute, object);
}

export function parseProviderEndpoint(object: unknown): Validated<ProviderEndpoint> {
  return parse('ProviderEndpoint', providerEndpoint, object);
}

function parse<T>(kind: Kind, schema: z.ZodType<T>, object: unknown): Validated<T> {
  if (!isObject(object)) return refused([{ path: [], message: `must be an object of kind ${kind}` }]);
  const problems: Problem[] = [];
  if (object.apiVersion !== API_VERSION) problems.push({ path: ['apiVersion'], message: `must be ${API_VERSION}` });
  if (object.kind !== kind) problems.push({ path: ['kind'], message: `must be ${kind}` });

  const root = rootSchema(kind);
  const { status: _, metadata, ...rest } = object;
  const complete = applyDefaults(root, rest) as Record<string, unknown>;
  const shape = checkShape(root, complete, []);
  problems.push(...shape.map(({ path, message }) => ({ path, message })));
  if (!shape.some(({ blocking }) => blocking)) problems.push(...checkRules(root, complete, []));
  if (problems.length > 0) return refused(problems);

  const result = schema.safeParse({ ...complete, metadata });
  if (result.success) return { ok: true, resource: result.data };
  return refused(result.error.issues.map(({ path, message }) => ({ path: path as Problem['path'], message })));
}

function rootSchema(kind: Kind): StructuralSchema {
  const text: StructuralSchema = { type: 'string' };
  return { type: 'object', required: ['spec'], properties: { apiVersion: text, kind: text, spec: KINDS[kind].spec } };
}

function refused(problems: Problem[]): { ok: false; problems: Problem[] } {
  return { ok: false, problems };
}
