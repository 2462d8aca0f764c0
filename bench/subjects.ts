import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../test/control-plane/free-port.ts';
import { MeasuredProcess } from './measured-process.ts';
import { writeUnderstudyConfig } from './understudy-config.ts';

/** What is measured. `floor` is what the others are compared with. */
export const SUBJECTS = ['floor', 'express', 'understudy'] as const;
export type SubjectName = (typeof SUBJECTS)[number];

export const SUBJECT_TITLES: Record<SubjectName, string> = {
  floor: '(a) node:http + undici, the floor',
  express: '(b) express + http-proxy',
  understudy: '(c) Understudy',
};

export interface Subject {
  name: SubjectName;
  port: number;
  process: MeasuredProcess;
}

export interface Checkout {
  root: string;
  cache: string;
}

/** A small completion, to see that the subject answers. */
const FIRST_REQUEST = JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: 'Are you there?' }] });
const READY_WITHIN_MS = 20_000;
const ASK_EVERY_MS = 50;

/** Starts one subject in front of the upstream; resolves when it has answered a completion. */
export async function startSubject(name: SubjectName, upstreamPort: number, checkout: Checkout): Promise<Subject> {
  const port = await freePort();
  const process = new MeasuredProcess(SUBJECT_TITLES[name], await commandOf(name, port, upstreamPort, checkout));
  const deadline = Date.now() + READY_WITHIN_MS;
  let last: unknown;
  while (process.running && Date.now() < deadline) {
    try {
      const response = await fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: FIRST_REQUEST,
      });
      if (response.ok) {
        await response.arrayBuffer();
        return { name, port, process };
      }
      last = new Error(`status ${response.status}: ${await response.text()}`);
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS));
  }
  const account = process.account();
  await process.stop();
  throw new Error(`not ready within ${READY_WITHIN_MS} ms: ${account}`, { cause: last });
}

async function commandOf(name: SubjectName, port: number, upstreamPort: number, { root, cache }: Checkout): Promise<string[]> {
  switch (name) {
    case 'floor':
      return [join(root, 'bench/relays/floor.ts'), String(port), String(upstreamPort)];
    case 'express':
      return [join(root, 'bench/relays/express-http-proxy.ts'), String(port), String(upstreamPort)];
    case 'understudy': {
      const config = await writeUnderstudyConfig(cache, upstreamPort);
      const addresses = ['--listen', `127.0.0.1:${port}`, '--admin', `127.0.0.1:${await freePort()}`];
      const program = join(root, 'cli/start.js');
      return [...(await nodeFlags(program)), program, 'run', '--config', config, ...addresses];
    }
  }
}

/** The flags that a program's first line gives to Node, so that it is measured as it is started. */
async function nodeFlags(program: string): Promise<string[]> {
  const [first = ''] = (await readFile(program, 'utf8')).split('\n', 1);
  return first.split(' ').filter((word) => word.startsWith('--'));
}
