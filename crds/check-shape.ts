import { isObject } from './is-object.ts';
import { nearestName } from './nearest-name.ts';
import type { FieldPath, Problem } from './problem.ts';
import type { StructuralSchema } from './structural-schema.ts';

/** A wrong shape. `blocking`: the API server does not try the rules then, since they would fail on it. */
export interface ShapeProblem extends Problem {
  blocking: boolean;
}

/** Everything in which a value differs from its schema, rules aside, in the API server's words where these are clear. */
export function checkShape(schema: StructuralSchema, value: unknown, path: FieldPath): ShapeProblem[] {
  if (!hasType(schema.type, value)) return [blocking(path, `must be of type ${schema.type}`)];
  if (Array.isArray(value)) return checkArray(schema, value, path);
  if (isObject(value)) return checkObject(schema, value, path);
  if (typeof value === 'number') return checkNumber(schema, value, path);
  return checkString(schema, String(value), path);
}

function hasType(type: StructuralSchema['type'], value: unknown): boolean {
  switch (type) {
    case 'object':
      return isObject(value);
    case 'array':
      return Array.isArray(value);
    case 'string':
      return typeof value === 'string';
    case 'integer':
      return Number.isInteger(value);
  }
}

function checkObject(schema: StructuralSchema, value: Record<string, unknown>, path: FieldPath): ShapeProblem[] {
  const properties = schema.properties ?? {};
  const problems: ShapeProblem[] = [];
  for (const name of schema.required ?? []) {
    if (value[name] === undefined) problems.push(blocking([...path, name], 'Required value'));
  }
  for (const [name, field] of Object.entries(value)) {
    const property = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (property === undefined) problems.push(unknownField(Object.keys(properties), name, path));
    else if (field !== undefined) problems.push(...checkShape(property, field, [...path, name]));
  }
  return problems;
}

function unknownField(known: string[], name: string, path: FieldPath): ShapeProblem {
  const nearest = nearestName(name, known);
  const hint = nearest === undefined ? `known here: ${known.join(', ')}` : `did you mean "${nearest}"?`;
  return { path: [...path, name], message: `unknown field: ${hint}`, blocking: false };
}

function checkArray(schema: StructuralSchema, value: unknown[], path: FieldPath): ShapeProblem[] {
  const { items, maxItems = Number.POSITIVE_INFINITY } = schema;
  if (value.length > maxItems) return [blocking(path, `must have at most ${maxItems} items`)];
  return items === undefined ? [] : value.flatMap((item, index) => checkShape(items, item, [...path, index]));
}

function checkNumber({ minimum, maximum }: StructuralSchema, value: number, path: FieldPath): ShapeProblem[] {
  if (minimum !== undefined && value < minimum) return [invalid(path, `should be greater than or equal to ${minimum}`)];
  if (maximum !== undefined && value > maximum) return [invalid(path, `should be less than or equal to ${maximum}`)];
  return [];
}

function checkString(schema: StructuralSchema, value: string, path: FieldPath): ShapeProblem[] {
  const problems: ShapeProblem[] = [];
  const length = [...value].length; // Characters, as the API server counts them, not UTF-16 units.
  if (schema.maxLength !== undefined && length > schema.maxLength) {
    problems.push(blocking(path, `may not be more than ${schema.maxLength} bytes`));
  }
  if (schema.minLength !== undefined && length < schema.minLength) {
    problems.push(invalid(path, `should be at least ${schema.minLength} chars long`));
  }
  if (schema.enum !== undefined && !schema.enum.includes(value)) {
    problems.push(blocking(path, `supported values: ${schema.enum.map((one) => `"${one}"`).join(', ')}`));
  }
  if (schema.format === 'date-time' && Number.isNaN(Date.parse(value))) {
    problems.push(invalid(path, 'must be of type date-time'));
  }
  return problems;
}

function blocking(path: FieldPath, message: string): ShapeProblem {
  return { path, message, blocking: true };
}

function invalid(path: FieldPath, message: string): ShapeProblem {
  return { path, message, blocking: false };
}
