import type { LoadResult } from './run-load.ts';
import { type Load, runLoad } from './run-load.ts';
import type { Samples } from './samples.ts';
import type { Subject } from './subjects.ts';

/** Everything of one round that runs against processes that are up already. Each step runs against every subject in turn. */
export interface Step {
  name: string;
  load: Load & { durationMs: number };
  /** Longer than the duration by what runs on after it: streams that have begun. */
  tailMs: number;
  /** Measured on the upstream alone too, for what the relays add. */
  direct: boolean;
  /** Takes the step's samples. `cpu` is absent for the upstream alone; `direct` is the same round's run without a relay. */
  record(to: Samples, owner: Subject['name'] | 'direct', run: LoadResult, cpu?: number, direct?: LoadResult): void;
}

const STREAM = { connections: 64, chunks: 50, intervalMs: 20 } as const;
const PROMPT_BYTES = 100_000;

export const STEPS: readonly Step[] = [
  {
    name: 'unary, 32 connections',
    load: { shape: 'unary', connections: 32, durationMs: 2_000 },
    tailMs: 0,
    direct: true,
    record(to, owner, run, cpu) {
      to.add(owner, 'unary32P50', run.latency!.p50);
      to.add(owner, 'unary32P99', run.latency!.p99);
      if (cpu !== undefined) to.add(owner, 'unaryCpu', cpu / run.requests);
    },
  },
  {
    name: 'unary, 1 connection',
    load: { shape: 'unary', connections: 1, durationMs: 1_500 },
    tailMs: 0,
    direct: true,
    record(to, owner, run) {
      to.add(owner, 'unary1P50', run.latency!.p50);
      to.add(owner, 'unary1P99', run.latency!.p99);
    },
  },
  {
    name: '64 streams',
    load: { shape: 'stream', ...STREAM, durationMs: 3_000 },
    tailMs: STREAM.chunks * STREAM.intervalMs,
    direct: true,
    record(to, owner, run, cpu, direct) {
      if (cpu !== undefined) to.add(owner, 'chunkCpu', cpu / run.chunks);
      if (direct) to.add(owner, 'firstTokenAdded', run.firstContent!.p50 - direct.firstContent!.p50);
    },
  },
  {
    name: '100 kB prompts',
    load: { shape: 'unary', connections: 8, durationMs: 1_500, promptBytes: PROMPT_BYTES },
    tailMs: 0,
    direct: false,
    record(to, owner, run, cpu) {
      if (cpu !== undefined) to.add(owner, 'promptCpu', cpu / run.requests);
    },
  },
  {
    name: '100 kB prompts, typographic',
    load: { shape: 'unary', connections: 8, durationMs: 1_500, promptBytes: PROMPT_BYTES, typographic: true },
    tailMs: 0,
    direct: false,
    record(to, owner, run, cpu) {
      if (cpu !== undefined) to.add(owner, 'typographicPromptCpu', cpu / run.requests);
    },
  },
];

/** Streams that begin late must still begin: a stream takes a second, the shortest step begins them for longer. */
const SHORTEST_STREAMS_MS = 1_200;

export function stepDurationMs(step: Step, pace: number): number {
  const scaled = Math.round(step.load.durationMs * pace);
  return step.load.shape === 'stream' ? Math.max(SHORTEST_STREAMS_MS, scaled) : scaled;
}

/** One step of one round: the upstream alone, then every subject, beginning with another one each round. */
export async function runStep(
  step: Step,
  round: number,
  context: { loadProgram: string; upstreamPort: number; subjects: readonly Subject[]; pace: number; samples: Samples },
): Promise<void> {
  const { loadProgram, upstreamPort, subjects, pace, samples } = context;
  const load = { ...step.load, durationMs: stepDurationMs(step, pace) };
  const direct = step.direct ? await runLoad(loadProgram, upstreamPort, load) : undefined;
  if (direct) step.record(samples, 'direct', direct);
  for (let i = 0; i < subjects.length; i++) {
    const subject = subjects[(i + round) % subjects.length]!;
    try {
      const before = await subject.process.cpuMicroseconds();
      const run = await runLoad(loadProgram, subject.port, load);
      step.record(samples, subject.name, run, (await subject.process.cpuMicroseconds()) - before, direct);
    } catch (error) {
      throw new Error(`${step.name}: ${subject.process.account()}`, { cause: error });
    }
  }
}

export function warmUpMs(pace: number): number {
  return Math.max(1_000, Math.round(3_000 * pace));
}

/** Lets the just-in-time compilers of a subject see every kind of request before anything is measured. */
export async function warmUp(loadProgram: string, subject: Subject, pace: number): Promise<void> {
  const durationMs = warmUpMs(pace);
  try {
    await runLoad(loadProgram, subject.port, { shape: 'unary', connections: 32, durationMs });
    await runLoad(loadProgram, subject.port, { shape: 'stream', connections: 32, chunks: 50, intervalMs: 1, durationMs });
    await runLoad(loadProgram, subject.port, {
      shape: 'unary',
      connections: 8,
      durationMs: durationMs / 2,
      promptBytes: PROMPT_BYTES,
    });
  } catch (error) {
    throw new Error(`warming up: ${subject.process.account()}`, { cause: error });
  }
}
