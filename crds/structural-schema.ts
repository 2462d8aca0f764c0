import { z } from 'zod';
import { applyDefaults } from './apply-defaults.ts';
import { celString, type Rule } from './structural.ts';

/** The part of OpenAPI v3.0 that Kubernetes takes in a CRD and that this API uses. */
export interface StructuralSchema {
  type: 'object' | 'array' | 'string' | 'integer';
  description?: string;
  default?: unknown;
  format?: string;
  enum?: string[];
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  maxItems?: number;
  items?: StructuralSchema;
  properties?: Record<string, StructuralSchema>;
  required?: string[];
  'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map';
  'x-kubernetes-list-map-keys'?: string[];
  'x-kubernetes-validations'?: Rule[];
}

/** What zod writes that a CRD has no place for, or that stands for nothing: closed objects are closed in Kubernetes anyway. */
const LEFT_OUT = ['additionalProperties', '$schema', 'pattern', 'x-understudy-required'];

/** What a reader of the CRD looks for comes first, what is long comes last. */
const FIRST = ['description', 'type', 'format', 'default', 'enum'];
const LAST = ['x-kubernetes-validations', 'required', 'items', 'properties'];

type JsonSchema = Record<string, unknown> & { type?: string; pattern?: string; format?: string };

/** Writes a zod schema the way the API server wants it: structural, with defaults, and with rules that say what to do. */
export function structuralSchema(schema: z.ZodType): StructuralSchema {
  return convert(z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input' }) as JsonSchema, '');
}

function convert(json: JsonSchema, path: string): StructuralSchema {
  refuseUnruledPattern(json, path);
  const result = Object.fromEntries(Object.entries(json).filter(([key]) => !LEFT_OUT.includes(key)));
  if (json.type === 'integer') {
    // zod bounds every integer by what JavaScript can hold exactly; a reader of the CRD learns nothing from it.
    if (json.minimum === Number.MIN_SAFE_INTEGER) delete result.minimum;
    if (json.maximum === Number.MAX_SAFE_INTEGER) delete result.maximum;
    result.format ??= 'int32';
  }
  if (json.items !== undefined) result.items = convert(json.items as JsonSchema, `${path}[]`);
  if (json.properties !== undefined) {
    const properties = json.properties as Record<string, JsonSchema>;
    const required = (json.required ?? []) as string[];
    const told = required.filter((name) => properties[name]?.['x-understudy-required'] !== undefined);
    const untold = required.filter((name) => !told.includes(name));
    const own = (json['x-kubernetes-validations'] ?? []) as Rule[];
    const rules = [...told.map((name) => presenceRule(name, properties[name]!)), ...own];
    result.properties = Object.fromEntries(
      Object.entries(properties).map(([name, property]) => [name, convert(property, `${path}.${name}`)]),
    );
    delete result.required;
    if (untold.length > 0) result.required = untold;
    if (rules.length > 0) result['x-kubernetes-validations'] = rules;
  }
  const structural = inOrder(result) as unknown as StructuralSchema;
  // The API server tries the rules of a default without filling in the defaults within it: so they are written out.
  if (structural.default !== undefined) structural.default = applyDefaults(structural, structural.default);
  return structural;
}

function inOrder(schema: Record<string, unknown>): Record<string, unknown> {
  const rank = (key: string) => (FIRST.includes(key) ? FIRST.indexOf(key) - FIRST.length : LAST.indexOf(key) + 1);
  return Object.fromEntries(Object.entries(schema).sort(([a], [b]) => rank(a) - rank(b)));
}

function presenceRule(name: string, property: JsonSchema): Rule {
  return {
    rule: `has(self.${name})`,
    message: String(property['x-understudy-required']),
    fieldPath: `.${name}`,
    reason: 'FieldValueRequired',
  };
}

/** A pattern that is no rule would be dropped, and with it the check. Times are checked by their format. */
function refuseUnruledPattern({ pattern, format, ...json }: JsonSchema, path: string): void {
  if (pattern === undefined || format === 'date-time') return;
  const rules = (json['x-kubernetes-validations'] ?? []) as Rule[];
  if (!rules.some(({ rule }) => rule.includes(celString(pattern)))) {
    throw new Error(`${path}: the pattern ${pattern} is no rule: write the field with matching(…)`);
  }
}
