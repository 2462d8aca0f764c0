import type { MemoryAnswer } from './process-probe.ts';
import { runLoad } from './run-load.ts';
import type { Samples } from './samples.ts';
import { type Checkout, type SubjectName, startSubject } from './subjects.ts';

export const OPEN_STREAMS = 1_000;
/** Slow enough that a thousand open streams leave the machine at rest, and many enough that none ends by itself. */
const PACE = { chunks: 600, intervalMs: 1_000 } as const;
/** After the last stream's first content: what opening them left behind has settled. */
const SETTLE_MS = 1_500;
/** So that code, pools and caches that are made once are there before, and don't count as a stream's. */
const FIRST_STREAMS = 50;

/**
 * Memory of one open stream: resident set, and heap with external memory, of a process of its own, after a full garbage collection,
 * with 1,000 streams open and before them.
 */
export async function measureStreamMemory(
  name: SubjectName,
  context: { loadProgram: string; upstreamPort: number; checkout: Checkout; samples: Samples },
): Promise<void> {
  const { loadProgram, upstreamPort, checkout, samples } = context;
  const subject = await startSubject(name, upstreamPort, checkout);
  try {
    await runLoad(loadProgram, subject.port, { shape: 'unary', connections: 32, requests: 2_000 });
    await runLoad(loadProgram, subject.port, {
      shape: 'stream',
      connections: FIRST_STREAMS,
      requests: 200,
      chunks: 20,
      intervalMs: 5,
    });
    const before = await subject.process.memory();
    let open: MemoryAnswer | undefined;
    await runLoad(loadProgram, subject.port, { shape: 'hold', connections: OPEN_STREAMS, ...PACE }, async () => {
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
      open = await subject.process.memory();
    });
    const perStream = (of: (memory: MemoryAnswer) => number) => (of(open!) - of(before)) / OPEN_STREAMS / 1000;
    samples.add(
      name,
      'streamMemory',
      perStream(({ rss }) => rss),
    );
    samples.add(
      name,
      'streamHeap',
      perStream(({ heap, external }) => heap + external),
    );
  } catch (error) {
    throw new Error(`open streams: ${subject.process.account()}`, { cause: error });
  } finally {
    await subject.process.stop();
  }
}
