import type { z } from 'zod';

/**
 * What a zod schema says to Kubernetes beyond JSON Schema, given with `.meta()` beside the field it is about.
 * The keys are copied into the CRD as they stand; see https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/.
 */
export interface StructuralMeta {
  description?: string;
  'x-kubernetes-validations'?: Rule[];
  'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map';
  'x-kubernetes-list-map-keys'?: string[];
  /**
   * The message for an object that lacks this field. The API server's own "Required value" names the field but not the way out,
   * so the generator turns such a field into an optional one with a rule on its parent.
   */
  'x-understudy-required'?: string;
  [key: string]: unknown;
}

/** A CEL rule on the field that carries it. `self` is that field. */
export interface Rule {
  rule: string;
  message: string;
  /** The field that the message is about, seen from the one that carries the rule: `.chain`. */
  fieldPath?: string;
  reason?: 'FieldValueRequired';
}

/** Rules beside their field: `z.array(…).meta(rules({rule, message}))`. Of two such calls on one schema the last one counts. */
export function rules(...all: Rule[]): StructuralMeta {
  return { 'x-kubernetes-validations': all };
}

/**
 * A string that matches, with a message that says what to write: a bare `pattern` would be answered with "should match" and the expression.
 * So the expression becomes a rule, and the generator refuses a schema with a pattern of any other origin.
 * Only syntax that RE2 and JavaScript read alike is allowed: no look-around, and no `\s`, which JavaScript takes for Unicode's white space.
 */
export function matching(text: z.ZodString, pattern: RegExp, message: string, ...more: Rule[]): z.ZodString {
  return text.regex(pattern, message).meta(rules(matchRule(pattern, message), ...more));
}

/** A rule on a string that must match. */
export function matchRule(pattern: RegExp, message: string): Rule {
  return { rule: `self.matches(${celString(pattern.source)})`, message };
}

/** A string literal of CEL. */
export function celString(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
