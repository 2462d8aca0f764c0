import { runLoad } from './run-load.ts';
import { type Checkout, type SubjectName, startSubject } from './subjects.ts';

const SAMPLES = 20;
/** What the heap may grow by in the second half of the run. Caches with a limit are full by then; the rest is what leaks. */
export const MAX_GROWTH_BYTES = 1_500_000;

export interface HeapSample {
  requests: number;
  /** Heap and external memory after a full garbage collection, and resident set, in bytes. */
  heap: number;
  rss: number;
}

/**
 * Serves `requests` requests of every kind (unary, streams, abandoned streams, unknown models, new connections), each with names of
 * its own, and takes the heap after every twentieth part of them.
 */
export async function measureHeapGrowth(
  name: SubjectName,
  requests: number,
  context: { loadProgram: string; upstreamPort: number; checkout: Checkout; progress(done: number): void },
): Promise<HeapSample[]> {
  const { loadProgram, upstreamPort, checkout, progress } = context;
  const subject = await startSubject(name, upstreamPort, checkout);
  const part = Math.max(1, Math.ceil(requests / SAMPLES));
  const samples: HeapSample[] = [];
  try {
    for (let done = part; done <= part * SAMPLES; done += part) {
      await runLoad(loadProgram, subject.port, {
        shape: 'mixed',
        connections: 32,
        requests: part,
        unknownModels: name === 'understudy',
      });
      const { heap, external, rss } = await subject.process.memory();
      samples.push({ requests: done, heap: heap + external, rss });
      progress(done / requests);
    }
    return samples;
  } catch (error) {
    throw new Error(`heap: ${subject.process.account()}`, { cause: error });
  } finally {
    await subject.process.stop();
  }
}

/** Bytes that the heap grew by from the middle of the run to its end, each the mean of a fifth of the samples: one sample is noise. */
export function growthOf(samples: readonly HeapSample[]): number {
  const fifth = Math.max(1, Math.floor(samples.length / 5));
  const mean = (part: readonly HeapSample[]) => part.reduce((sum, { heap }) => sum + heap, 0) / part.length;
  const middle = Math.floor(samples.length / 2);
  return mean(samples.slice(-fifth)) - mean(samples.slice(middle - fifth, middle));
}
