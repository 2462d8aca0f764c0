import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildPrograms } from './build-programs.ts';
import { parseOptions } from './options.ts';
import type { ProfileAnswer } from './process-probe.ts';
import { runLoad } from './run-load.ts';
import { STEPS, warmUp } from './steps.ts';
import { type Checkout, SUBJECT_TITLES, startSubject } from './subjects.ts';
import { startUpstream } from './upstream.ts';

/**
 * Where the time goes: profiles each subject (`--only floor,understudy`) under the bench's loads and prints the rooms and functions
 * that took the most of it, by self time, in percent of the time that the process was busy.
 */
const root = fileURLToPath(new URL('..', import.meta.url));
const checkout: Checkout = { root, cache: join(root, 'bench/.cache') };
const SHOWN_FUNCTIONS = 30;
const STEP_NAMES = ['unary, 32 connections', '64 streams', '100 kB prompts'];

function report(title: string, profile: ProfileAnswer): void {
  const functions = new Map<string, number>();
  const rooms = new Map<string, number>();
  const byId = new Map(profile.nodes.map((node) => [node.id, node.callFrame]));
  let busy = 0;
  for (const [i, id] of profile.samples!.entries()) {
    const { functionName, url, lineNumber } = byId.get(id)!;
    // The profiler's own start shows up as the post that began it.
    if (functionName === '(idle)' || url === 'node:inspector') continue;
    const time = profile.timeDeltas![i]!;
    busy += time;
    const file = url.replace(/^.*\/node_modules\//, '').replace(`file://${root}`, '');
    const name = file === '' ? functionName || '(native)' : `${functionName || '(anonymous)'} ${file}:${lineNumber + 1}`;
    functions.set(name, (functions.get(name) ?? 0) + time);
    const room = file === '' ? functionName.replace(/^[^(].*/, '(native)') : roomOf(file);
    rooms.set(room, (rooms.get(room) ?? 0) + time);
  }
  const top = (of: Map<string, number>, count: number) =>
    [...of]
      .toSorted(([, a], [, b]) => b - a)
      .slice(0, count)
      .map(([name, time]) => `  ${((100 * time) / busy).toFixed(1).padStart(5)} %  ${name}`)
      .join('\n');
  console.log(`\n${title}\nrooms:\n${top(rooms, 16)}\nfunctions:\n${top(functions, SHOWN_FUNCTIONS)}`);
}

/** A folder of this checkout, a package, or a module of Node. */
function roomOf(file: string): string {
  if (file.startsWith('node:')) return file.split('/').slice(0, 2).join('/');
  return file.split('/').slice(0, -1).join('/').split('/').slice(0, 2).join('/');
}

const programs = await buildPrograms(join(root, 'bench'), checkout.cache);
const upstream = await startUpstream(programs.upstream);
try {
  for (const name of parseOptions(process.argv.slice(2)).only) {
    const subject = await startSubject(name, upstream.port, checkout);
    try {
      await warmUp(programs.load, subject, 1);
      for (const step of STEPS.filter((candidate) => STEP_NAMES.includes(candidate.name))) {
        const profile = await subject.process.profile(async () => {
          await runLoad(programs.load, subject.port, step.load);
        });
        report(`${SUBJECT_TITLES[name]}: ${step.name}`, profile);
      }
    } finally {
      await subject.process.stop();
    }
  }
} finally {
  await upstream.stop();
}
