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
  fieldPath?: string;
}

/** Rules beside their field: `z.array(…).meta(rules({rule, message}))`. */
export function rules(...all: Rule[]): StructuralMeta {
  return { 'x-kubernetes-validations': all };
}
