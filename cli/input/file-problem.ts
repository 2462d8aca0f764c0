import type { FieldPath } from '../../crds/problem.ts';

/** Something about the files that someone has to know: an `Error` keeps them from being used, a `Warning` does not. */
export interface FileProblem {
  severity: 'Error' | 'Warning';
  file: string;
  line: number;
  /** `ModelRoute/proposals`; absent for what is no object. */
  object?: string;
  /** `spec.chain[0].endpoint`. */
  field?: string;
  message: string;
  /** What stands there now, where it is short and no secret. */
  value?: string;
}

/** `file:line: kind/name: field: message (value)`, the form that editors and CI systems make links of. */
export function formatProblem({ severity, file, line, object, field, message, value }: FileProblem): string {
  const parts = [`${file}:${line}`];
  if (severity === 'Warning') parts.push('warning');
  if (object !== undefined) parts.push(object);
  if (field !== undefined) parts.push(field);
  return `${[...parts, message].join(': ')}${value === undefined ? '' : ` (${value})`}`;
}

/** In the order of a reader: file by file, from the top. */
export function compareProblems(a: FileProblem, b: FileProblem): number {
  return a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1;
}

/** Longer values would bury the message. */
const MAX_SHOWN_VALUE = 80;

/**
 * What stands at a path, for a message: only a short scalar of a field that is known. Nothing under `credentials`, where a key may have been
 * written by mistake, and neither password nor query of a URL.
 */
export function showValue(object: unknown, path: FieldPath): string | undefined {
  if (path.includes('credentials')) return undefined;
  let value = object;
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<PropertyKey, unknown>)[step];
  }
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value !== 'string' || value.length > MAX_SHOWN_VALUE) return undefined;
  return value.replace(/\/\/[^/?#]*@/, '//…@').replace(/^(https?:[^?#]*[?#]).*/i, '$1…');
}
