import type { Logger } from 'pino';
import type { Clock } from '../kube/clock.ts';

/** One line of a kind in this time: a proxy that is refused comes back every second, and must not fill the disk with it. */
export const WARNING_INTERVAL_MS = 10_000;

export type Warn = (kind: string, details: object, message: string) => void;

/** Warnings that say each kind at most once an interval, and how many were left out. Kinds are few and fixed: they are what is remembered. */
export function createQuietWarnings(logger: Logger, clock: Pick<Clock, 'monotonic'>): Warn {
  const said = new Map<string, { at: number; leftOut: number }>();
  return (kind, details, message) => {
    const now = clock.monotonic();
    const last = said.get(kind);
    if (last !== undefined && now - last.at < WARNING_INTERVAL_MS) {
      last.leftOut += 1;
      return;
    }
    logger.warn({ reason: kind, leftOut: last?.leftOut ?? 0, ...details }, message);
    said.set(kind, { at: now, leftOut: 0 });
  };
}
