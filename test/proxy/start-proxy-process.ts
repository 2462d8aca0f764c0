import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { gzipSync } from 'node:zlib';
import type { RuntimeConfig } from '../../contract/runtime-config.ts';
import { keyOf } from './start-proxy.ts';

const COMMAND = new URL('../../cli/understudy.ts', import.meta.url).pathname;

/** A proxy as a pod runs it: its own process, with mounted files, and an operator that is away. */
export interface ProxyProcess {
  /** With `/v1`. */
  baseURL: string;
  adminURL: string;
  child: ChildProcess;
  /** Everything it logged. */
  logs(): string;
  /** Resolves with the exit code. */
  exit: Promise<number | null>;
  /** Kills what still runs, and removes its files. */
  remove(): Promise<void>;
}

export async function startProxyProcess(config: RuntimeConfig, drain = '20s'): Promise<ProxyProcess> {
  const directory = await mkdtemp(join(tmpdir(), 'understudy-proxy-'));
  const file = (name: string) => join(directory, name);
  await writeFile(file('config.json.gz'), gzipSync(JSON.stringify(config)));
  await writeFile(file('ca.crt'), '');
  await writeFile(file('token'), 'no-operator-reads-this');
  for (const { credential } of config.endpoints) {
    if (!credential) continue;
    await mkdir(file(`credentials/${credential.secret}`), { recursive: true });
    await writeFile(file(`credentials/${credential.secret}/${credential.key}`), keyOf(credential.secret));
  }
  const flags = {
    '--listen': '127.0.0.1:0',
    '--admin': '127.0.0.1:0',
    // Nothing listens there.
    '--operator': 'https://127.0.0.1:1',
    '--operator-ca': file('ca.crt'),
    '--token': file('token'),
    '--config': file('config.json.gz'),
    '--credentials': file('credentials'),
    '--drain': drain,
  };
  const child = spawn(process.execPath, [COMMAND, 'proxy', ...Object.entries(flags).flat()], {
    env: { ...process.env, NODE_OPTIONS: '', POD_NAME: 'proxy-0', POD_NAMESPACE: config.namespace },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  const exit = once(child, 'exit').then(([code]) => code as number | null);
  const listening = new Promise<{ listen: { port: number }; admin: { port: number } }>((resolve, reject) => {
    const hear = (line: string) => {
      lines.push(line);
      if (line.includes('"msg":"listening"')) resolve(JSON.parse(line));
    };
    createInterface({ input: child.stdout! }).on('line', hear);
    createInterface({ input: child.stderr! }).on('line', hear);
    exit.then((code) => reject(new Error(`the proxy ended with ${code} before it listened:\n${lines.join('\n')}`)));
  });
  const remove = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await exit;
    await rm(directory, { recursive: true, force: true });
  };
  const { listen, admin } = await listening.catch(async (error: unknown) => {
    await remove();
    throw error;
  });
  return {
    baseURL: `http://127.0.0.1:${listen.port}/v1`,
    adminURL: `http://127.0.0.1:${admin.port}`,
    child,
    logs: () => lines.join('\n'),
    exit,
    remove,
  };
}
