/** Milliseconds since 1970 that never step back: a corrected wall clock must not end a timer or a hold. */
export function monotonicClock(): number {
  return performance.timeOrigin + performance.now();
}
