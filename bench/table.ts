import { COLUMN_NAMES, COLUMNS, type Column, type ColumnName } from './columns.ts';
import { growthOf, type HeapSample, MAX_GROWTH_BYTES } from './heap-growth.ts';
import type { Owner, Samples } from './samples.ts';
import { ratiosByRound, type Spread, spreadOf } from './statistics.ts';
import { SUBJECT_TITLES, type SubjectName } from './subjects.ts';

/** The results as Markdown: a row for each column of measurement, subjects beside each other, ratios to the floor, what is wanted. */
export function renderTable(samples: Samples, subjects: readonly SubjectName[]): string {
  const others = subjects.filter((name) => name !== 'floor' && subjects.includes('floor'));
  const wanting = subjects.includes('understudy');
  const head = [
    'median of the rounds (lowest–highest)',
    'upstream alone',
    ...subjects.map((name) => SUBJECT_TITLES[name]),
    ...others.map((name) => `${letterOf(name)} / (a)`),
    ...(wanting ? ['wanted of (c)'] : []),
  ];
  const rows = COLUMN_NAMES.filter((column) => subjects.some((name) => samples.of(name, column).length > 0)).map((column) => [
    `${COLUMNS[column].title}, ${COLUMNS[column].unit}`,
    ...(['direct', ...subjects] as Owner[]).map((owner) => value(spreadOf(samples.of(owner, column)))),
    ...others.map((name) => ratio(ratioSpread(samples, name, column))),
    ...(wanting ? [verdict(samples, column)] : []),
  ]);
  return [head, head.map((_, i) => (i === 0 ? '---' : '---:')), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

export function renderHeap(title: string, samples: readonly HeapSample[]): string {
  const kilobytes = (bytes: number) => `${Math.round(bytes / 1000).toLocaleString('en')} kB`;
  const growth = growthOf(samples);
  const shown = samples.filter((_, i) => (i + 1) % Math.ceil(samples.length / 5) === 0);
  return [
    `Heap of ${title} after a full collection, over ${samples.at(-1)!.requests.toLocaleString('en')} requests of every kind: ` +
      shown.map(({ requests, heap }) => `${kilobytes(heap)} at ${requests.toLocaleString('en')}`).join(', ') +
      '.',
    `From the middle to the end it grew by ${kilobytes(growth)} (at most ${kilobytes(MAX_GROWTH_BYTES)}): ` +
      `${growth <= MAX_GROWTH_BYTES ? 'flat' : 'NOT FLAT'}.`,
  ].join('\n');
}

export function ratioSpread(samples: Samples, name: SubjectName, column: ColumnName): Spread | undefined {
  return spreadOf(ratiosByRound(samples.of(name, column), samples.of('floor', column)));
}

function verdict(samples: Samples, name: ColumnName): string {
  const { wanted }: Column = COLUMNS[name];
  if (!wanted) return '';
  const isRatio = 'ratio' in wanted;
  const measured = isRatio ? ratioSpread(samples, 'understudy', name) : spreadOf(samples.of('understudy', name));
  const limit = isRatio ? `≤ ${wanted.ratio} × (a)` : `≤ ${wanted.atMost} ${COLUMNS[name].unit}`;
  if (!measured) return limit;
  return `${limit}: ${measured.median <= (isRatio ? wanted.ratio : wanted.atMost) ? 'met' : 'missed'}`;
}

function value(spread: Spread | undefined): string {
  if (!spread) return '';
  const digits = Math.abs(spread.median) >= 100 ? 0 : Math.abs(spread.median) >= 10 ? 1 : 2;
  return `${spread.median.toFixed(digits)} (${spread.min.toFixed(digits)}–${spread.max.toFixed(digits)})`;
}

function ratio(spread: Spread | undefined): string {
  return spread ? `**${spread.median.toFixed(2)}** (${spread.min.toFixed(2)}–${spread.max.toFixed(2)})` : '';
}

function letterOf(name: SubjectName): string {
  return SUBJECT_TITLES[name].slice(0, 3);
}
