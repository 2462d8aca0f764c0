/** What is measured, and what of it is wanted: the columns of the table. */
export interface Column {
  title: string;
  unit: 'µs' | 'ms' | 'kB';
  /** Most that Understudy may need: a multiple of the floor's, or a number in the column's unit. */
  wanted?: { ratio: number } | { atMost: number };
}

const columns = {
  unaryCpu: { title: 'CPU a unary request', unit: 'µs', wanted: { ratio: 1.3 } },
  unary1P50: { title: 'p50, 1 connection', unit: 'ms' },
  unary1P99: { title: 'p99, 1 connection', unit: 'ms' },
  unary32P50: { title: 'p50, 32 connections', unit: 'ms' },
  unary32P99: { title: 'p99, 32 connections', unit: 'ms' },
  chunkCpu: { title: 'CPU an SSE chunk, 64 streams', unit: 'µs', wanted: { ratio: 1.2 } },
  firstTokenAdded: { title: 'first token later by, p50, 64 streams', unit: 'ms', wanted: { ratio: 1.5 } },
  promptCpu: { title: 'CPU a 100 kB prompt', unit: 'µs', wanted: { ratio: 0.8 } },
  typographicPromptCpu: { title: 'CPU a 100 kB prompt with “ ” –', unit: 'µs' },
  streamMemory: { title: 'RSS an open stream, 1,000 streams', unit: 'kB', wanted: { atMost: 35 } },
  streamHeap: { title: 'of that, heap and external', unit: 'kB' },
} as const satisfies Record<string, Column>;

export type ColumnName = keyof typeof columns;
export const COLUMNS: Readonly<Record<ColumnName, Column>> = columns;
export const COLUMN_NAMES = Object.keys(columns) as ColumnName[];
