import { isObject } from './is-object.ts';
import type { StructuralSchema } from './structural-schema.ts';

/** Fills in what the object leaves out, as the API server does before it validates: also where a field with a default is `null`. */
export function applyDefaults(schema: StructuralSchema, value: unknown): unknown {
  if (schema.items !== undefined && Array.isArray(value)) {
    const { items } = schema;
    return value.map((item) => applyDefaults(items, item));
  }
  if (schema.properties === undefined || !isObject(value)) return value;
  const result = { ...value };
  for (const [name, property] of Object.entries(schema.properties)) {
    const missing = result[name] === undefined || result[name] === null;
    if (missing && property.default !== undefined) result[name] = structuredClone(property.default);
    if (result[name] !== undefined) result[name] = applyDefaults(property, result[name]);
  }
  return result;
}
