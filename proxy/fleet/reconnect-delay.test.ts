import { FIRST_RECONNECT_DELAY_MS, LONGEST_RECONNECT_DELAY_MS, reconnectDelay } from './reconnect-delay.ts';

describe('the pause before connecting again', () => {
  it('doubles up to its longest, however long the operator is away', () => {
    const delays = [1, 2, 3, 4, 5, 6, 7, 1_000_000].map((failures) => reconnectDelay(failures, () => 1));
    expect(delays).toEqual([200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000]);
    expect([delays[0], delays.at(-1)]).toEqual([FIRST_RECONNECT_DELAY_MS, LONGEST_RECONNECT_DELAY_MS]);
  });

  it('is spread over half of itself', () => {
    expect(reconnectDelay(6, () => 0)).toBe(2_500);
    expect(reconnectDelay(6, () => 0.5)).toBe(3_750);
  });
});
