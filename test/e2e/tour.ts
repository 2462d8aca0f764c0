/**
 * Plays the README's tour on a cluster of its own, and writes what was typed and printed, as it was, between the marks in the README: first
 * without the long descriptions, then whole.
 * Simulated providers listen where the samples have them, as with `make run`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { FAULTS } from '../lab/faults.ts';
import { createLab } from '../lab/lab.ts';
import { type Cluster, eventually, SYSTEM, startCluster } from './cluster.ts';
import { startLoad } from './steady-load.ts';

const README = 'README.md';
const BEGIN = '<!-- tour: written by test/e2e/tour.ts -->\n';
const END = '<!-- end of the tour -->';
const PORTS = { primary: 18_081, standby: 18_082 };
const ASK_EVERY_MS = 250;
/** What is shown as being so has been so for a moment. */
const SCENE_MS = 6_000;

const BOTH = ['get', 'modelroutes,providerendpoints', '-o', 'wide'];
const DESCRIBE = ['describe', 'modelroute', 'proposals'];

const labs = { primary: createLab({ name: 'primary' }), standby: createLab({ name: 'standby' }) };
const lines: { text: string; isLong: boolean }[] = [];
let cluster: Cluster | undefined;
try {
  await labs.primary.start(PORTS.primary);
  await labs.standby.start(PORTS.standby);
  cluster = await startCluster();
  await play(cluster);
  writeTour();
} finally {
  await cluster?.stop();
  await Promise.all([labs.primary.stop(), labs.standby.stop()]);
}
process.exit();

async function play(stage: Cluster): Promise<void> {
  const type = async (args: string[]) => {
    const isLong = args === DESCRIBE;
    print(`$ kubectl ${args.join(' ')}`, isLong);
    print(`${(await stage.kubectl(args)).trimEnd()}\n`, isLong);
  };
  const route = () => stage.route('default', 'proposals');

  await type(['apply', '-f', 'manifests/']);
  await type(['rollout', 'status', 'deployment/understudy-operator', '-n', SYSTEM]);
  await type(['apply', '-f', 'manifests/samples/']);
  await until(async () => {
    const { health, proxies } = await route();
    return health === 'Healthy' && proxies?.summary === '2/2';
  });

  print(
    '# An application asks http://understudy.default/v1 with the OpenAI SDK, four times a second, in turn for a whole answer and',
  );
  print('# a stream, and never tries again itself.');
  const load = startLoad({ baseURL: stage.baseURL('default'), model: 'proposal-writer', everyMs: ASK_EVERY_MS });
  await scene();
  await type(BOTH);
  await type(DESCRIBE);

  print('# The provider behind "primary" goes on taking requests, in both regions, and says nothing any more.');
  await labs.primary.setFault(FAULTS.hang.fault);
  await until(async () => (await route()).active === 'standby/global/llama-3.3-70b');
  await until(async () => (await stage.endpoint('default', 'primary')).health === 'Down');
  await scene();
  await type(BOTH);
  await type(DESCRIBE);

  print('# It answers again.');
  await labs.primary.setFault(undefined);
  await until(async () => {
    const { reason, lastFailover } = await route();
    return reason === 'PrimaryHealthy' && lastFailover?.lasted !== undefined;
  });
  await scene();
  await type(BOTH);
  await type(DESCRIBE);

  const { answers, streams, failures, targets } = await load.stop();
  const byTarget = Object.entries(targets).map(([target, count]) => `${count} by ${target}`);
  print(`# What the application saw of all this: ${answers} answers, ${streams} of them streams: ${byTarget.join(', ')}.`);
  print(`# Failed requests: ${failures.length}.`);
  for (const failure of failures) print(`# ${failure}`);
}

function print(text: string, isLong = false): void {
  lines.push({ text, isLong });
  console.log(text);
}

function writeTour(): void {
  const readme = readFileSync(README, 'utf8');
  const [begin, end] = [readme.indexOf(BEGIN) + BEGIN.length, readme.indexOf(END)];
  if (begin < BEGIN.length || end < begin) throw new Error(`${README} has no marks for the tour: ${BEGIN.trim()} and ${END}`);
  const block = (shown: typeof lines) =>
    `\`\`\`console\n${shown
      .map(({ text }) => text)
      .join('\n')
      .trimEnd()}\n\`\`\`\n`;
  const brief = block(lines.filter(({ isLong }) => !isLong));
  const whole = `<details><summary>The same with <code>kubectl describe modelroute</code> before, during and after the outage</summary>\n\n${block(lines)}\n</details>\n`;
  writeFileSync(README, `${readme.slice(0, begin)}\n${brief}\n${whole}${readme.slice(end)}`);
}

function scene(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, SCENE_MS));
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  await eventually(async () => {
    if (!(await holds())) throw new Error('the tour waits for something that does not come about');
  });
}
