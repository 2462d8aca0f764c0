import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const LOG_TAIL_LINES = 20;

/** A running process of a workspace. */
export interface RunningProcess {
  /** The last lines that it logged, for error messages. */
  logTail(): string;
  hasExited(): boolean;
  /** Resolves when it is gone: with its exit code, or `null` when a signal ended it. */
  exited: Promise<number | null>;
  signal(name: NodeJS.Signals): void;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
}

/** A temporary directory and the processes that work in it. Neither outlives the test process, however that one ends. */
export interface Workspace {
  directory: string;
  path(...parts: string[]): string;
  write(name: string, content: string): string;
  /** Its output is appended to `<name>.log`. `env` is all that it gets; default: that of this process. */
  start(name: string, command: string, args: readonly string[], env?: NodeJS.ProcessEnv): RunningProcess;
  /** Removes the directory. Stop the processes first. */
  remove(): void;
}

/**
 * Waits for the end of its standard input, which is the end of the test process, then clears up. An exit handler alone would not do:
 * jest kills workers with SIGKILL.
 */
const GUARD = 'read -r _; for f in "$1"/*.pid; do [ -f "$f" ] && kill -9 "$(cat "$f")" 2>/dev/null; done; sleep 1; rm -rf "$1"';

export function createWorkspace(prefix: string): Workspace {
  const directory = mkdtempSync(join(tmpdir(), prefix));
  const guard = spawn('/bin/sh', ['-c', GUARD, 'guard', directory], { stdio: ['pipe', 'ignore', 'ignore'] });
  guard.unref();
  const path = (...parts: string[]) => join(directory, ...parts);
  const running = new Set<ChildProcess>();
  const killAll = () => {
    for (const child of running) child.kill('SIGKILL');
  };
  process.once('exit', killAll);

  return {
    directory,
    path,
    write(name, content) {
      writeFileSync(path(name), content, { mode: 0o600 });
      return path(name);
    },
    start(name, command, args, env = process.env) {
      const log = path(`${name}.log`);
      const descriptor = openSync(log, 'a');
      const child = spawn(command, args, { stdio: ['ignore', descriptor, descriptor], cwd: directory, env });
      closeSync(descriptor);
      running.add(child);
      const supervised = supervise(child, path(`${name}.pid`), log);
      void supervised.exited.then(() => running.delete(child));
      return supervised;
    },
    remove() {
      process.off('exit', killAll);
      rmSync(directory, { recursive: true, force: true });
      guard.kill('SIGKILL');
    },
  };
}

function supervise(child: ChildProcess, pidFile: string, log: string): RunningProcess {
  let failure = '';
  let exited = false;
  if (child.pid !== undefined) writeFileSync(pidFile, String(child.pid));
  const gone = new Promise<number | null>((resolve) => {
    const end = (code: number | null) => {
      exited = true;
      rmSync(pidFile, { force: true });
      resolve(code);
    };
    child.once('exit', end);
    child.once('error', (error) => {
      failure = `${error.message}\n`;
      end(null);
    });
  });

  return {
    logTail: () => failure + readFileSync(log, 'utf8').trimEnd().split('\n').slice(-LOG_TAIL_LINES).join('\n'),
    hasExited: () => exited,
    exited: gone,
    signal: (name) => void child.kill(name),
    async kill() {
      child.kill('SIGKILL');
      await gone;
    },
  };
}
