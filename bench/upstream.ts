import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const LISTENING = /^listening on 127\.0\.0\.1:(\d+)$/;

export interface Upstream {
  port: number;
  stop(): Promise<void>;
}

/** Starts the fast upstream; see `bench/upstream`. */
export async function startUpstream(program: string): Promise<Upstream> {
  const child: ChildProcess = spawn(program, ['-attached'], { stdio: ['pipe', 'pipe', 'inherit'] });
  for await (const line of createInterface({ input: child.stdout! })) {
    const port = LISTENING.exec(line)?.[1];
    if (port === undefined) continue;
    return {
      port: Number(port),
      stop: async () => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const ended = once(child, 'exit');
        child.kill('SIGTERM');
        await ended;
      },
    };
  }
  throw new Error(`the upstream ended before it listened (${child.exitCode ?? child.signalCode})`);
}
