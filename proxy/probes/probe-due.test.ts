import { probeDue } from './probe-due.ts';

const NOW = Date.parse('2026-11-23T10:00:00Z');
const at = (secondsAgo: number) => NOW - secondsAgo * 1_000;
const iso = (secondsAgo: number) => new Date(at(secondsAgo)).toISOString();
const due = (record: Partial<Parameters<typeof probeDue>[0]>) =>
  probeDue({ lastSignal: 0, probe: undefined, fleetProbe: undefined, ...record }, 30_000, NOW);

describe('a probe', () => {
  it.each([
    ['is due when nothing is known', {}, 'due'],
    ['is left out while traffic tells the same', { lastSignal: at(10) }, 'traffic told the same'],
    ['is due when the traffic is old', { lastSignal: at(31) }, 'due'],
    [
      'is due though the last signal was fresh, when that was the last probe',
      { lastSignal: at(29), probe: { time: iso(29), outcome: 'Succeeded' } },
      'due',
    ],
    [
      'is left out when traffic came after the last probe',
      { lastSignal: at(5), probe: { time: iso(29), outcome: 'Failed' } },
      'traffic told the same',
    ],
    ['is left out while another replica’s is fresh', { fleetProbe: iso(10) }, 'another replica has probed'],
    ['is due when the other replica’s is old', { fleetProbe: iso(16) }, 'due'],
  ] as const)('%s', (_, record, expected) => {
    expect(due(record)).toBe(expected);
  });
});
