import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import process from 'node:process';

const ROOT = join(import.meta.dirname, '../..');
/** Far longer than anything takes; a test that waits this long has failed. */
const PATIENCE_MS = 20_000;

/** A program in a process of its own, as a user starts it. */
export interface RunningProcess {
  readonly pid: number;
  stdout(): string;
  stderr(): string;
  /** Resolves with the match once either stream holds it. */
  waitFor(pattern: RegExp): Promise<RegExpExecArray>;
  signal(signal: NodeJS.Signals): void;
  /** Resolves once it has ended by itself, with its exit code. */
  exit(): Promise<number | null>;
}

export interface StartOptions {
  env?: Record<string, string>;
  stdin?: string;
}

const running = new Set<ChildProcess>();

/** Starts `understudy` with these arguments. */
export function startUnderstudy(argv: readonly string[], options?: StartOptions): RunningProcess {
  return startProcess(process.execPath, [join(ROOT, 'cli/start.js'), ...argv], options);
}

/** Runs `understudy` to its end. */
export async function understudy(argv: readonly string[], options?: StartOptions) {
  const child = startUnderstudy(argv, options);
  const code = await child.exit();
  return { code, stdout: child.stdout(), stderr: child.stderr() };
}

export function startProcess(command: string, argv: readonly string[], { env = {}, stdin }: StartOptions = {}): RunningProcess {
  const child = spawn(command, argv, { cwd: ROOT, env: { ...process.env, NODE_OPTIONS: '', ...env }, stdio: 'pipe' });
  running.add(child);
  const ended = once(child, 'close').then(() => {
    running.delete(child);
    return child.exitCode;
  });
  let stdout = '';
  let stderr = '';
  const watchers = new Set<() => void>();
  const wake = () => {
    for (const watcher of watchers) watcher();
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    wake();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    wake();
  });
  child.stdin.end(stdin ?? '');
  const describe = () => `${command} ${argv.join(' ')}\nstdout:\n${stdout}\nstderr:\n${stderr}`;
  const within = async <T>(promise: Promise<T>, what: string): Promise<T> => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`waited in vain for ${what}: ${describe()}`)), PATIENCE_MS);
    });
    return Promise.race([promise, late]).finally(() => clearTimeout(timer));
  };
  return {
    pid: child.pid!,
    stdout: () => stdout,
    stderr: () => stderr,
    waitFor: (pattern) => {
      const found = () => pattern.exec(stdout) ?? pattern.exec(stderr);
      const looking = new Promise<RegExpExecArray>((resolve, reject) => {
        const look = () => {
          const match = found();
          if (match !== null) resolve(match);
        };
        watchers.add(look);
        look();
        void ended.then(() => {
          look();
          reject(new Error(`ended before ${pattern}: ${describe()}`));
        });
      });
      return within(looking, String(pattern));
    },
    signal: (signal) => void child.kill(signal),
    exit: () => within(ended, 'the end'),
  };
}

/** Ends what a failed test has left running. For `afterEach`. */
export async function endProcesses(): Promise<void> {
  await Promise.all(
    [...running].map(async (child) => {
      const ended = once(child, 'close');
      child.kill('SIGKILL');
      await ended;
    }),
  );
}
