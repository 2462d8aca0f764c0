/** The first pause is short, since most breaks are an operator that restarts or a connection that was reset. */
export const FIRST_RECONNECT_DELAY_MS = 200;
/** The longest: an operator that comes back has its whole fleet within seconds. */
export const LONGEST_RECONNECT_DELAY_MS = 5_000;
/** A connection that lived this long was a good one: the next pause is the first one again. */
export const STABLE_AFTER_MS = 10_000;

/** Pause before try number `failures` (from 1), doubled each time, and shortened by up to half at random so that a fleet does not come all at once. */
export function reconnectDelay(failures: number, random: () => number): number {
  const full = Math.min(LONGEST_RECONNECT_DELAY_MS, FIRST_RECONNECT_DELAY_MS * 2 ** Math.min(failures - 1, 16));
  return full * (0.5 + random() / 2);
}
