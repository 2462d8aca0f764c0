/**
 * Bernoulli CUSUM: adds up how much more the outcomes look like a failing target than a healthy one, floored at 0; alarm at `THRESHOLD`.
 * Healthy means 2 % failures, failing 10 %. With h = 9 a failure rate of 25 % is found in about 28 attempts and of 50 % in 12, at one false
 * alarm in about 290,000 attempts at 2 % (h = 8: one in 105,000, which the other detector would bring over one in 100,000).
 * Page, E. S. (1954): Continuous Inspection Schemes.
 */
const HEALTHY_RATE = 0.02;
const FAILING_RATE = 0.1;
export const CUSUM_THRESHOLD = 9;

const FAILURE_STEP = Math.log(FAILING_RATE / HEALTHY_RATE);
const SUCCESS_STEP = Math.log((1 - FAILING_RATE) / (1 - HEALTHY_RATE));

export function cusum(sum: number, failed: boolean): number {
  return Math.max(0, sum + (failed ? FAILURE_STEP : SUCCESS_STEP));
}
