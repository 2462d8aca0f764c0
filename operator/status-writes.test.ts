import { compareStatus, type Difference, decideWrite, HEARTBEAT_MS, MIN_GAP_MS } from './status-writes.ts';

describe('decideWrite', () => {
  it.each<{ sentence: string; difference: Difference; sinceLast: number; write: boolean }>([
    { sentence: 'writes nothing when nothing changed, however long ago', difference: 'None', sinceLast: 1e9, write: false },
    { sentence: 'writes news at once', difference: 'News', sinceLast: MIN_GAP_MS, write: true },
    {
      sentence: 'gathers news that follows at the heels of a write',
      difference: 'News',
      sinceLast: MIN_GAP_MS - 1,
      write: false,
    },
    { sentence: 'keeps figures for the heartbeat', difference: 'Figures', sinceLast: HEARTBEAT_MS / 2, write: false },
    { sentence: 'writes figures with the heartbeat', difference: 'Figures', sinceLast: HEARTBEAT_MS, write: true },
  ])('$sentence', ({ difference, sinceLast, write }) => {
    const decision = decideWrite(difference, { lastWriteAt: 1_000, now: 1_000 + sinceLast, spread: 0 });
    expect(decision.write).toBe(write);
    if (difference === 'None') expect(decision).toEqual({ write: false });
    else if (!decision.write) expect(decision.lookAgainAfterMs).toBeGreaterThan(0);
  });

  it('spreads the heartbeats of different objects', () => {
    const now = HEARTBEAT_MS * 0.9;
    expect(decideWrite('Figures', { lastWriteAt: 0, now, spread: 0 }).write).toBe(false);
    expect(decideWrite('Figures', { lastWriteAt: 0, now, spread: 1 }).write).toBe(true);
  });
});

describe('compareStatus', () => {
  const inWords = ({ word }: { word: string }) => word;

  it('does not mind the order of fields, nor fields without a value', () => {
    const before = { word: 'a', inner: { x: 1, y: 2 } };
    expect(
      compareStatus<{ word: string; inner: object }>(before, { inner: { y: 2, x: 1, z: undefined }, word: 'a' }, inWords),
    ).toBe('None');
  });

  it('tells figures from news, and takes a first status for news', () => {
    const before = { word: 'a', figure: 1 };
    expect(compareStatus(before, { word: 'a', figure: 2 }, inWords)).toBe('Figures');
    expect(compareStatus(before, { word: 'b', figure: 1 }, inWords)).toBe('News');
    expect(compareStatus(undefined, before, inWords)).toBe('News');
  });
});
