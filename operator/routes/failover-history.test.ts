import type { FailoverRecord } from '../../contract/fleet.ts';
import { failoverEvents } from './failover-events.ts';
import { type FailoverHistory, foldFailovers, lastFailover, readHistory, type ToldFailover } from './failover-history.ts';

const NOON = Date.parse('2026-11-23T12:00:00.000Z');
const at = (seconds: number) => new Date(NOON + seconds * 1_000).toISOString();
const EMPTY: FailoverHistory = { count: 0, episodes: [] };
const away = () => false;

describe('foldFailovers', () => {
  it.each<{
    sentence: string;
    told: ToldFailover[];
    isBack?: (target: string) => boolean;
    count: number;
    lasted: string | undefined;
  }>([
    { sentence: 'counts a failover once', told: [told('a', 0)], count: 1, lasted: undefined },
    { sentence: 'counts one outage that two replicas saw once', told: [told('a', 0), told('b', 4)], count: 1, lasted: undefined },
    {
      sentence: 'lets an outage last until the last replica is back',
      told: [told('a', 0, { returned: 30 }), told('b', 4, { returned: 50 })],
      count: 1,
      lasted: '50s',
    },
    {
      sentence: 'does not end an outage while one replica is still away',
      told: [told('a', 0, { returned: 30 }), told('b', 4)],
      count: 1,
      lasted: undefined,
    },
    {
      sentence: 'counts a second outage after the first has ended',
      told: [told('a', 0, { returned: 30 }), told('a', 60)],
      count: 2,
      lasted: undefined,
    },
    {
      sentence: 'counts the next hop of the chain as another failover',
      told: [told('a', 0), told('a', 20, { from: 'second', to: 'third' })],
      count: 2,
      lasted: undefined,
    },
    {
      sentence: 'ends what a replica that died can not end, once all others are back',
      told: [told('a', 0)],
      isBack: () => true,
      count: 1,
      lasted: '100s',
    },
  ])('$sentence', ({ told: records, isBack = away, count, lasted }) => {
    const history = foldFailovers(EMPTY, records, isBack, NOON + 100_000);
    expect(history.count).toBe(count);
    expect(lastFailover(history)?.lasted).toBe(lasted);
  });

  it('takes what is told again for what it knows already', () => {
    const first = foldFailovers(EMPTY, [told('a', 0)], away, NOON);
    const second = foldFailovers(first, [told('a', 0), told('b', 2)], away, NOON);
    expect(second.count).toBe(1);
    expect(failoverEvents(first, second)).toEqual([]);
  });

  it('goes on from a status, as the successor of an operator that died before it could acknowledge', () => {
    const before = foldFailovers({ count: 4, episodes: [] }, [told('a', 0)], away, NOON);
    const successor = readHistory({ failovers: before.count, lastFailover: lastFailover(before)! });
    const again = foldFailovers(successor, [told('a', 0)], away, NOON);
    expect(again.count).toBe(5);
    expect(failoverEvents(successor, again)).toEqual([]);
    expect(lastFailover(again)).toEqual(lastFailover(before));
  });

  it('does not count again, as a successor, what came before the failover that the status shows', () => {
    const regions = [told('a', 0, { from: 'first' }), told('a', 4, { from: 'second', to: 'third' })];
    const before = foldFailovers(EMPTY, regions, away, NOON);
    expect(before.count).toBe(2);
    const successor = readHistory({ failovers: before.count, lastFailover: lastFailover(before)! });
    const back = [told('a', 0, { from: 'first', returned: 90 }), told('a', 4, { from: 'second', to: 'third', returned: 80 })];
    for (const again of [regions, back]) {
      const history = foldFailovers(successor, again, away, NOON);
      expect(history.count).toBe(2);
      expect(failoverEvents(successor, history).filter(({ reason }) => reason === 'FailedOver')).toEqual([]);
    }
    expect(foldFailovers(successor, [told('a', 300, { from: 'first' })], away, NOON).count).toBe(3);
  });

  it('keeps what a status says of an outage that has ended', () => {
    const ended = foldFailovers(EMPTY, [told('a', 0, { returned: 30 })], away, NOON);
    const successor = readHistory({ failovers: 1, lastFailover: lastFailover(ended)! });
    const again = foldFailovers(successor, [told('a', 0, { returned: 30 })], away, NOON);
    expect(lastFailover(again)).toEqual(lastFailover(ended));
    expect(foldFailovers(successor, [told('a', 300)], away, NOON).count).toBe(2);
  });

  it('remembers a bounded number of episodes, and counts all', () => {
    const many = Array.from({ length: 40 }, (_, index) => told('a', index * 100, { returned: index * 100 + 1 }));
    const history = foldFailovers(EMPTY, many, away, NOON);
    expect(history.count).toBe(40);
    expect(history.episodes).toHaveLength(16);
  });

  it('tells of a failover and of the way back in one Event each', () => {
    const out = foldFailovers(EMPTY, [told('a', 0)], away, NOON);
    const back = foldFailovers(out, [told('a', 0, { returned: 30 })], away, NOON);
    expect(failoverEvents(EMPTY, out).map(({ reason }) => reason)).toEqual(['FailedOver']);
    expect(failoverEvents(out, back)).toEqual([
      { type: 'Normal', reason: 'Returned', message: 'Traffic came back to first after 30s.' },
    ]);
  });
});

function told(proxy: string, second: number, given: { returned?: number; from?: string; to?: string } = {}): ToldFailover {
  const record: FailoverRecord = {
    id: `${proxy}-${second}`,
    route: 'chat',
    time: at(second),
    from: given.from ?? 'first',
    to: given.to ?? 'second',
    reason: 'ErrorRate',
    evidence: '7 of 20 requests failed',
    detectedIn: 3_100,
    ...(given.returned === undefined ? {} : { returned: at(given.returned) }),
  };
  return { proxy, instance: `${proxy}1`, record };
}
