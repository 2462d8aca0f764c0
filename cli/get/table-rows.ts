import type { PrinterColumn } from '../../crds/printer-columns.ts';
import type { ServedObject } from './fetch-objects.ts';
import { findByPath } from './find-by-path.ts';
import { kubectlAge } from './kubectl-age.ts';

/** The head line of a table: the name, and the columns of the CRD; those of a priority above 0 only for `-o wide`. */
export function headOf(columns: readonly PrinterColumn[]): string[] {
  return ['NAME', ...columns.map(({ name }) => name.toUpperCase())];
}

/** One object, as the API server would fill the columns of the CRD for kubectl. `name` may carry the kind before it. */
export function rowOf(object: ServedObject, name: string, columns: readonly PrinterColumn[], now: number): string[] {
  return [name, ...columns.map((column) => cellOf(object, column, now))];
}

export function shownColumns(columns: readonly PrinterColumn[], wide: boolean): PrinterColumn[] {
  return columns.filter(({ priority = 0 }) => wide || priority === 0);
}

/** What is the same as long as an object has no news: a row whose times stand still, so that a watch does not repeat it each second. */
export function newsOf(object: ServedObject, columns: readonly PrinterColumn[]): string {
  return JSON.stringify(columns.map(({ jsonPath }) => findByPath(object, jsonPath)));
}

function cellOf(object: ServedObject, { type, jsonPath }: PrinterColumn, now: number): string {
  const found = findByPath(object, jsonPath);
  // Of several, the API server shows the first; a list or an object as JSON.
  const [value] = found;
  if (value === undefined) return '';
  if (type !== 'date') return typeof value === 'object' ? JSON.stringify(value) : String(value);
  const time = Date.parse(String(value));
  return Number.isNaN(time) ? '<invalid>' : kubectlAge(now - time);
}
