import { duration, formatDuration, parseDuration } from './duration.ts';

describe('durations', () => {
  it.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['1m30s', 90_000],
    ['1h1m1s1ms', 3_661_001],
    ['0s', 0],
  ])('reads %s', (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds);
    expect(duration().safeParse(text).success).toBe(true);
  });

  it.each(['', '10', 's', '-1s', '1.5s', '1d', ' 1s', '1s ', '1234567s'])('refuses %j, and says what to write', (text) => {
    expect(() => parseDuration(text)).toThrow(/write a duration such as 500ms, 30s or 1m30s/);
    expect(duration().safeParse(text).success).toBe(false);
  });

  it.each([
    [412, '412ms'],
    [3_140, '3.1s'],
    [41_000, '41s'],
    [41 * 60_000, '41m'],
    [9 * 86_400_000, '9d'],
  ])('writes %d ms as %s', (milliseconds, text) => {
    expect(formatDuration(milliseconds)).toBe(text);
  });
});
