/** Whole seconds, as Kubernetes writes times: what a person reads needs no more, and equal moments give equal text. */
export function statusTime(time: string | number): string {
  return new Date(time).toISOString().replace(/\.\d+Z$/, 'Z');
}
