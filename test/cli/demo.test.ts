import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { freePort } from '../control-plane/free-port.ts';
import { endProcesses, type RunningProcess, startProcess } from './understudy-process.ts';
import { until } from './until.ts';

const STARTER = 'test/lab/demo.ts';

/** The samples, at ports that nobody uses, so that a `make run` beside the tests does not disturb them. */
let samples: string;
let ports: { primary: number; standby: number };

beforeEach(async () => {
  samples = await mkdtemp(join(tmpdir(), 'understudy-samples-'));
  await cp('manifests/samples', samples, { recursive: true });
  const file = join(samples, 'endpoints.yaml');
  ports = { primary: await freePort(), standby: await freePort() };
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replaceAll(':18081/', `:${ports.primary}/`).replaceAll(':18082/', `:${ports.standby}/`));
});
afterEach(async () => {
  await endProcesses();
  await rm(samples, { recursive: true, force: true });
});

const start = () =>
  startProcess(process.execPath, [STARTER, '--samples', samples, '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0']);

/** The commands that it has printed for its user, in order. */
async function printedCommands(demo: RunningProcess): Promise<[ask: string, breakIt: string, show: string, mend: string]> {
  await demo.waitFor(/Ctrl-C ends everything/);
  const commands = demo
    .stdout()
    .match(/^ {2}\S.*$/gm)!
    .map((line) => line.trim());
  expect(commands).toHaveLength(4);
  return commands as [string, string, string, string];
}

/** Runs a command as it was printed, as a user's shell would. */
async function shell(command: string): Promise<string> {
  const child = startProcess('bash', ['-c', command]);
  expect(await child.exit()).toBe(0);
  return child.stdout();
}

describe('make run', () => {
  it('is that starter, on the samples', async () => {
    const child = startProcess('make', ['-n', 'run']);
    expect(await child.exit()).toBe(0);
    expect(child.stdout()).toContain(STARTER);
  });

  it('prints lines that work as printed: ask, break, see the failover, mend', async () => {
    const demo = start();
    const [ask, breakIt, show, mend] = await printedCommands(demo);
    expect(await shell(ask)).toMatch(/^x-understudy-target: primary\/us-east\/gpt-4o\r?$/m);

    expect(await shell(breakIt)).toContain('hang');
    expect(await shell(ask)).toMatch(/^x-understudy-target: standby\/global\/llama-3\.3-70b\r?$/m);
    await until(
      () => shell(show),
      (table) => /^proposals +standby\/global\/llama-3\.3-70b +Healthy +PrimaryDown +\d+s +[1-9]/m.test(table),
    );

    await shell(mend);
    await until(
      () => shell(show),
      (table) => /^proposals +primary\/us-east\/gpt-4o +Healthy +PrimaryHealthy /m.test(table),
    );
    expect(await shell(ask)).toMatch(/^x-understudy-target: primary\//m);
  }, 120_000);

  it('leaves nothing behind at Ctrl-C, so that it works a second time', async () => {
    for (const _time of ['first', 'second']) {
      const demo = start();
      const [ask] = await printedCommands(demo);
      expect(await shell(ask)).toMatch(/^x-understudy-target: primary\//m);
      demo.signal('SIGINT');
      expect(await demo.exit()).toBe(0);
      for (const port of [ports.primary, ports.standby, ports.primary + 1_000, ports.standby + 1_000]) {
        expect(await listens(port)).toBe('free');
      }
    }
  });

  it('names a port that is in use, and leaves nothing behind', async () => {
    const server = createServer().listen(ports.standby, '127.0.0.1');
    await once(server, 'listening');
    try {
      const demo = start();
      expect(await demo.exit()).toBe(1);
      expect(demo.stderr()).toBe(
        `understudy: 127.0.0.1:${ports.standby} is in use by another program, and the simulated provider "standby" needs it: ` +
          `end that one, or change the baseURL of "standby" in ${samples}\n`,
      );
      expect(await listens(ports.primary)).toBe('free');
    } finally {
      server.close();
    }
  });
});

async function listens(port: number): Promise<'free' | 'in use'> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    server.close();
    return 'free';
  } catch {
    return 'in use';
  }
}
