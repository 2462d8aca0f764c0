const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;

/** Clocks of two machines differ by this much without anyone being wrong. */
const SKEW = 2 * SECOND;

/** How kubectl writes an age, exactly: `HumanDuration` of k8s.io/apimachinery/pkg/util/duration. */
export function kubectlAge(milliseconds: number): string {
  if (milliseconds <= -SKEW) return '<invalid>';
  if (milliseconds < 0) return '0s';
  const count = (unit: number) => Math.floor(milliseconds / unit);
  const both = (large: number, largeName: string, small: number, smallName: string) => {
    const rest = Math.floor((milliseconds % large) / small);
    return `${count(large)}${largeName}${rest === 0 ? '' : `${rest}${smallName}`}`;
  };
  if (milliseconds < 2 * MINUTE) return `${count(SECOND)}s`;
  if (milliseconds < 10 * MINUTE) return both(MINUTE, 'm', SECOND, 's');
  if (milliseconds < 3 * HOUR) return `${count(MINUTE)}m`;
  if (milliseconds < 8 * HOUR) return both(HOUR, 'h', MINUTE, 'm');
  if (milliseconds < 2 * DAY) return `${count(HOUR)}h`;
  if (milliseconds < 8 * DAY) return both(DAY, 'd', HOUR, 'h');
  if (milliseconds < 2 * YEAR) return `${count(DAY)}d`;
  if (milliseconds < 8 * YEAR) return both(YEAR, 'y', DAY, 'd');
  return `${count(YEAR)}y`;
}
