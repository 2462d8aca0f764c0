import { Environment } from '@marcbachmann/cel-js';
import { isObject } from './is-object.ts';
import type { FieldPath, Problem } from './problem.ts';
import type { Rule } from './structural.ts';
import type { StructuralSchema } from './structural-schema.ts';

const environment = new Environment().registerVariable('self', 'dyn');
const parsed = new Map<string, (context: { self: unknown }) => unknown>();

/**
 * Tries every CEL rule of a schema on a value whose shape is right and whose defaults are filled in: the very rules that the API server tries.
 */
export function checkRules(schema: StructuralSchema, value: unknown, path: FieldPath): Problem[] {
  if (value === undefined) return [];
  const problems = (schema['x-kubernetes-validations'] ?? []).flatMap((rule) => tryRule(rule, asCel(schema, value), path));
  if (schema.items !== undefined && Array.isArray(value)) {
    const { items } = schema;
    problems.push(...value.flatMap((item, index) => checkRules(items, item, [...path, index])));
  }
  if (isObject(value)) {
    for (const [name, property] of Object.entries(schema.properties ?? {})) {
      problems.push(...checkRules(property, value[name], [...path, name]));
    }
  }
  return problems;
}

function tryRule({ rule, message, fieldPath }: Rule, self: unknown, path: FieldPath): Problem[] {
  let evaluate = parsed.get(rule);
  if (evaluate === undefined) {
    evaluate = environment.parse(rule);
    parsed.set(rule, evaluate);
  }
  if (evaluate({ self }) === true) return [];
  return [{ path: fieldPath === undefined ? path : [...path, ...fieldPath.split('.').filter(Boolean)], message }];
}

/** CEL's integers are BigInts to the evaluator; a JavaScript number would be a double. Unknown fields are pruned, as the API server does. */
function asCel(schema: StructuralSchema, value: unknown): unknown {
  if (schema.type === 'integer' && typeof value === 'number') return BigInt(value);
  if (schema.items !== undefined && Array.isArray(value)) {
    const { items } = schema;
    return value.map((item) => asCel(items, item));
  }
  if (schema.properties === undefined || !isObject(value)) return value;
  const known = Object.entries(schema.properties).filter(([name]) => value[name] !== undefined);
  return Object.fromEntries(known.map(([name, property]) => [name, asCel(property, value[name])]));
}
