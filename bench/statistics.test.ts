import { quantile, ratiosByRound, spreadOf } from './statistics.ts';

describe('samples of rounds', () => {
  it.each([
    [[3, 1, 2], { median: 2, min: 1, max: 3 }],
    [[4, 1, 3, 2], { median: 2.5, min: 1, max: 4 }],
    [[7], { median: 7, min: 7, max: 7 }],
  ])('%j have the spread %j', (samples, spread) => {
    expect(spreadOf(samples)).toEqual(spread);
  });

  it('have no spread when there are none', () => {
    expect(spreadOf([])).toBeUndefined();
  });

  it('are compared round by round, so that a slow round weighs on both sides', () => {
    expect(ratiosByRound([2, 20, 4], [1, 10, 2])).toEqual([2, 2, 2]);
  });

  it('leave a round out that only one side has', () => {
    expect(ratiosByRound([2, 20], [1])).toEqual([2]);
  });

  it.each([
    [0.5, 50],
    [0.99, 99],
    [1, 100],
    [0, 1],
  ])('of 1 to 100, the quantile %d is %d', (share, value) => {
    expect(
      quantile(
        Array.from({ length: 100 }, (_, i) => 100 - i),
        share,
      ),
    ).toBe(value);
  });
});
