import { z } from 'zod';

/** Kubernetes writes durations as Go does: `500ms`, `30s`, `1m30s`. Fractions and signs are left out on purpose. */
export const DURATION_PATTERN = '^([0-9]+(ms|s|m|h))+$';

const UNIT_IN_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;

/** A duration in the API, such as `30s`. The length limit keeps the cost of CEL rules on it bounded. */
export const duration = () =>
  z.string().max(20).regex(new RegExp(DURATION_PATTERN), 'write a duration such as 500ms, 30s or 1m30s');

/** Reads `1m30s` into milliseconds. Throws a `RangeError` on anything that `DURATION_PATTERN` does not match. */
export function parseDuration(text: string): number {
  if (!new RegExp(DURATION_PATTERN).test(text)) throw new RangeError(`"${text}" is not a duration such as 500ms, 30s or 1m30s`);
  let total = 0;
  for (const [, count, unit] of text.matchAll(/([0-9]+)(ms|s|m|h)/g)) {
    total += Number(count) * UNIT_IN_MS[unit as keyof typeof UNIT_IN_MS];
  }
  return total;
}

/** Writes milliseconds the way status and printer columns show them: `412ms`, `3.1s`, `41m`, `9d`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 1_000) return `${Math.round(milliseconds)}ms`;
  const seconds = milliseconds / 1_000;
  if (seconds < 10) return `${Number(seconds.toFixed(1))}s`;
  if (seconds < 120) return `${Math.round(seconds)}s`;
  const minutes = seconds / 60;
  if (minutes < 120) return `${Math.round(minutes)}m`;
  const hours = minutes / 60;
  return hours < 48 ? `${Math.round(hours)}h` : `${Math.round(hours / 24)}d`;
}
