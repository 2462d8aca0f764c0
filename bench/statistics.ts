export interface Spread {
  median: number;
  min: number;
  max: number;
}

/** Median and range of some samples; `undefined` without any. */
export function spreadOf(samples: readonly number[]): Spread | undefined {
  if (samples.length === 0) return undefined;
  const sorted = samples.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { median, min: sorted[0]!, max: sorted.at(-1)! };
}

/** Ratios of the samples that were taken in the same round: what slows a whole round down cancels out. */
export function ratiosByRound(of: readonly number[], to: readonly number[]): number[] {
  return of.slice(0, to.length).map((value, round) => value / to[round]!);
}

/** The sample that `share` of all are not above. */
export function quantile(samples: readonly number[], share: number): number {
  if (samples.length === 0) throw new Error('no samples');
  return samples.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(share * samples.length) - 1)]!;
}
