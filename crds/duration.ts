import { z } from 'zod';
import { celString, matching, type Rule } from './structural.ts';

/**
 * Kubernetes writes durations as Go does: `500ms`, `30s`, `1m30s`. Fractions and signs are left out on purpose.
 * The counts are short because Go fails, without a message of ours, on a sum of more than 292 years.
 */
export const DURATION_PATTERN = /^([0-9]{1,5}h|[0-9]{1,6}(ms|s|m))+$/;
const HOW_TO_WRITE = 'write a duration such as 500ms, 30s or 1m30s';
/** Keeps the cost of CEL rules bounded. */
const MAX_LENGTH = 20;
/** No request and no probe is waited for longer; and Node's timers overflow, and fire at once, beyond 24.8 days. */
const LONGEST = '24h';

const UNIT_IN_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;

const LONGER_THAN_0S: Rule = {
  rule: ifDurations(['self'], "duration(self) > duration('0s')"),
  message: 'must be longer than 0s',
};
const NOT_TOO_LONG: Rule = {
  rule: ifDurations(['self'], `duration(self) <= duration('${LONGEST}')`),
  message: `must not be longer than ${LONGEST}`,
};

/** A duration in the API, such as `30s`. */
export const duration = () => form(LONGER_THAN_0S, NOT_TOO_LONG);

/** A duration that may be `0s`. */
export const durationOrNone = () => form(NOT_TOO_LONG);

/** A duration with a shortest value of its own. */
export const durationOfAtLeast = (shortest: string, message: string) =>
  form({ rule: ifDurations(['self'], `duration(self) >= duration('${shortest}')`), message }, NOT_TOO_LONG);

function form(...limits: Rule[]) {
  return matching(z.string().max(MAX_LENGTH), DURATION_PATTERN, HOW_TO_WRITE, ...limits);
}

/** A rule that says that a field of `self` is not longer than another. Both need a default, or `self.x` fails where they are absent. */
export function notLonger(shorter: string, longer: string, message: string): Rule {
  const [a, b] = [`self.${shorter}`, `self.${longer}`];
  return { rule: ifDurations([a, b], `duration(${a}) <= duration(${b})`), message };
}

/**
 * CEL's `duration()` fails on anything that it can not read, and the API server then tells of the failed rule instead of what to write.
 * So a rule about durations only speaks where each has its form; that it has is another rule's matter.
 */
export function ifDurations(fields: string[], rule: string): string {
  const pattern = celString(DURATION_PATTERN.source);
  return `${fields.map((field) => `!${field}.matches(${pattern})`).join(' || ')} || ${rule}`;
}

/** Reads `1m30s` into milliseconds. Throws a `RangeError` on anything that `DURATION_PATTERN` does not match. */
export function parseDuration(text: string): number {
  if (!DURATION_PATTERN.test(text)) throw new RangeError(`"${text}" is not a duration: ${HOW_TO_WRITE}`);
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
