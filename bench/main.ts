import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildPrograms } from './build-programs.ts';
import { growthOf, type HeapSample, MAX_GROWTH_BYTES, measureHeapGrowth } from './heap-growth.ts';
import { HELP, type Options, parseOptions } from './options.ts';
import { Progress } from './progress.ts';
import { Samples } from './samples.ts';
import { runStep, STEPS, stepDurationMs, warmUp, warmUpMs } from './steps.ts';
import { measureStreamMemory } from './stream-memory.ts';
import { type Checkout, SUBJECT_TITLES, type Subject, startSubject } from './subjects.ts';
import { renderHeap, renderTable } from './table.ts';
import { startUpstream } from './upstream.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const checkout: Checkout = { root, cache: join(root, 'bench/.cache') };
/** A process of its own, a thousand streams and a full collection take their time: fewer rounds tell as much. */
const MEMORY_ROUNDS = 3;
/** The loads of one warm-up, the last half as long; for the estimate of the time left. */
const WARM_UPS = 2.5;
/** What one memory measurement takes, and one request of the heap step, for the estimate of the time left. */
const MEMORY_MS = 8_000;
const HEAP_REQUEST_MS = 0.15;

async function bench(options: Options): Promise<void> {
  const say = (line: string) => console.error(line);
  say('building the upstream and the load generator');
  const programs = await buildPrograms(join(root, 'bench'), checkout.cache);
  const samples = new Samples();
  const memoryRounds = Math.min(MEMORY_ROUNDS, options.rounds);
  const stepMs = STEPS.map(
    (step) => (stepDurationMs(step, options.pace) + step.tailMs) * (options.only.length + (step.direct ? 1 : 0)),
  );
  const progress = new Progress(
    stepMs.reduce((sum, ms) => sum + ms, 0) * options.rounds +
      WARM_UPS * warmUpMs(options.pace) * options.only.length +
      MEMORY_MS * options.only.length * memoryRounds +
      HEAP_REQUEST_MS * options.heapRequests,
    Date.now,
    say,
  );
  const upstream = await startUpstream(programs.upstream);
  const context = { loadProgram: programs.load, upstreamPort: upstream.port, pace: options.pace, checkout, samples };
  const subjects: Subject[] = [];
  let heap: HeapSample[] = [];
  /** What leaks is looked for in Understudy; where it is not measured, the bench can be tried on another. */
  const heapSubject = options.only.includes('understudy') ? 'understudy' : options.only[0]!;
  try {
    for (const name of options.only) subjects.push(await startSubject(name, upstream.port, checkout));
    for (const subject of subjects) {
      progress.begin(`warming up ${SUBJECT_TITLES[subject.name]}`);
      await warmUp(programs.load, subject, options.pace);
      progress.done(WARM_UPS * warmUpMs(options.pace));
    }
    for (let round = 0; round < options.rounds; round++) {
      for (const [i, step] of STEPS.entries()) {
        progress.begin(`round ${round + 1} of ${options.rounds}: ${step.name}`);
        await runStep(step, round, { ...context, subjects });
        progress.done(stepMs[i]!);
      }
    }
    await Promise.all(subjects.map((subject) => subject.process.stop()));
    for (let round = 0; round < memoryRounds; round++) {
      for (const name of options.only) {
        progress.begin(`memory of open streams, ${round + 1} of ${memoryRounds}: ${SUBJECT_TITLES[name]}`);
        await measureStreamMemory(name, context);
        progress.done(MEMORY_MS);
      }
    }
    if (options.heapRequests > 0) {
      progress.begin(`heap over ${options.heapRequests.toLocaleString('en')} requests: ${SUBJECT_TITLES[heapSubject]}`);
      const part = (HEAP_REQUEST_MS * options.heapRequests) / 20;
      heap = await measureHeapGrowth(heapSubject, options.heapRequests, {
        ...context,
        progress: (done) => {
          progress.done(part);
          progress.begin(`heap: ${Math.round(done * 100)} % of the requests`);
        },
      });
    }
  } finally {
    await Promise.all(subjects.map((subject) => subject.process.stop()));
    await upstream.stop();
  }

  const machine = `${availableParallelism()} × ${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.version}, ${process.platform}`;
  console.log(`${new Date().toISOString().slice(0, 10)}, ${machine}, ${options.rounds} rounds\n`);
  console.log(renderTable(samples, options.only));
  if (heap.length > 0) console.log(`\n${renderHeap(SUBJECT_TITLES[heapSubject], heap)}`);
  const file = join(checkout.cache, 'result.json');
  await mkdir(checkout.cache, { recursive: true });
  await writeFile(file, `${JSON.stringify({ time: new Date().toISOString(), machine, options, samples, heap }, null, 2)}\n`);
  say(`everything measured: ${file}`);
  if (heap.length > 0 && growthOf(heap) > MAX_GROWTH_BYTES) throw new Error('the heap grows with the requests served');
}

/** The messages of an error and of its causes, which say what the subject or the load generator said. */
function explain(error: unknown): string {
  const lines: string[] = [];
  for (let at = error; at instanceof Error; at = at.cause) lines.push(at.message);
  return lines.join('\n  because: ') || String(error);
}

try {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) console.log(HELP);
  else await bench(options);
} catch (error) {
  console.error(`bench: ${explain(error)}`);
  process.exitCode = 1;
}
