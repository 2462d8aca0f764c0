/** Read once: the getter costs more than the clock itself. */
const ORIGIN = performance.timeOrigin;

/** Milliseconds since 1970 that never step back: a corrected wall clock must not end a timer or a hold. */
export function monotonicClock(): number {
  return ORIGIN + performance.now();
}
