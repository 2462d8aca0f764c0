/** Figures are written this often at most, an object: 500 objects then cost less than ten writes a second. */
export const HEARTBEAT_MS = 60_000;
/** Share of the heartbeat by which objects are spread, so that a restart does not write all of them at one moment. */
const HEARTBEAT_JITTER = 0.2;
/** A target that flaps must not write without end: after one write, further news is gathered for this long. */
export const MIN_GAP_MS = 500;

/** What a status that was computed anew says against the one that stands. */
export type Difference = 'None' | 'Figures' | 'News';

export type WriteDecision = { write: true } | { write: false; lookAgainAfterMs?: number };

/** News at once, figures at a slow heartbeat, and nothing when nothing changed. `spread`: 0 to 1, each object its own. */
export function decideWrite(
  difference: Difference,
  { lastWriteAt, now, spread }: { lastWriteAt: number; now: number; spread: number },
): WriteDecision {
  switch (difference) {
    case 'None':
      return { write: false };
    case 'News':
      return whenDue(lastWriteAt + MIN_GAP_MS, now);
    case 'Figures':
      return whenDue(lastWriteAt + HEARTBEAT_MS * (1 - HEARTBEAT_JITTER * spread), now);
  }
}

function whenDue(due: number, now: number): WriteDecision {
  return now >= due ? { write: true } : { write: false, lookAgainAfterMs: Math.ceil(due - now) };
}

/** `inWords` leaves out of a status what is only a figure. */
export function compareStatus<S>(before: S | undefined, after: S, inWords: (status: S) => unknown): Difference {
  if (before === undefined) return 'News';
  if (sameJson(before, after)) return 'None';
  return sameJson(inWords(before), inWords(after)) ? 'Figures' : 'News';
}

function sameJson(a: unknown, b: unknown): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

/** The API server gives fields back in an order of its own. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}
