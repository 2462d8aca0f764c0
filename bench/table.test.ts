import type { HeapSample } from './heap-growth.ts';
import { Samples } from './samples.ts';
import { renderHeap, renderTable } from './table.ts';

function samplesOf(floor: number[], understudy: number[]): Samples {
  const samples = new Samples();
  for (const value of floor) samples.add('floor', 'unaryCpu', value);
  for (const value of understudy) samples.add('understudy', 'unaryCpu', value);
  return samples;
}

const lastRow = (samples: Samples) => renderTable(samples, ['floor', 'understudy']).split('\n').at(-1)!;

describe('the table of the bench', () => {
  it('tells medians, spreads, and the median of the ratios of each round', () => {
    const row = lastRow(samplesOf([50, 100, 60], [60, 120, 66]));
    expect(row).toContain('60.0 (50.0–100.0)');
    expect(row).toContain('66.0 (60.0–120.0)');
    expect(row).toContain('**1.20** (1.10–1.20)');
  });

  it.each([
    [[129], 'met'],
    [[131], 'missed'],
  ])('says whether %j beside 100 is what is wanted: %s', (understudy, verdict) => {
    expect(lastRow(samplesOf([100], understudy))).toContain(`≤ 1.3 × (a): ${verdict}`);
  });

  it('does not call anything met that was not measured', () => {
    expect(lastRow(samplesOf([100], []))).not.toMatch(/met|missed/);
  });

  it('leaves out what nobody was measured for', () => {
    expect(renderTable(samplesOf([1], [1]), ['floor', 'understudy']).split('\n')).toHaveLength(3);
  });

  it('refuses a sample that is no number: nothing was counted then', () => {
    expect(() => samplesOf([Number.NaN], [])).toThrow('floor');
  });
});

describe('the heap over many requests', () => {
  const run = (heapAt: (i: number) => number): HeapSample[] =>
    Array.from({ length: 20 }, (_, i) => ({ requests: (i + 1) * 1_000, heap: heapAt(i), rss: 0 }));

  it('is flat when it grows only while caches fill', () => {
    expect(
      renderHeap(
        'x',
        run((i) => 20_000_000 + Math.min(i, 5) * 1_000_000),
      ),
    ).toContain('flat');
  });

  it('is not flat when every request leaves something', () => {
    expect(
      renderHeap(
        'x',
        run((i) => 20_000_000 + i * 500_000),
      ),
    ).toContain('NOT FLAT');
  });

  it('is judged by means: one sample with garbage in it proves nothing', () => {
    expect(
      renderHeap(
        'x',
        run((i) => (i === 19 ? 24_000_000 : 20_000_000)),
      ),
    ).not.toContain('NOT FLAT');
  });
});
