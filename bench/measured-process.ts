import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { CpuAnswer, MemoryAnswer, ProfileAnswer } from './process-probe.ts';

const PROBE = fileURLToPath(new URL('process-probe.ts', import.meta.url));
/** A full collection of a heap of some hundred megabytes takes a second; a process that says nothing for longer is stuck. */
const ANSWER_WITHIN_MS = 15_000;
/** Time to finish after SIGTERM, before SIGKILL. */
const STOP_WITHIN_MS = 3_000;
/** Kept of what a process says, to show when it fails. */
const KEPT_OUTPUT = 4_000;

/** One Node process under measurement. */
export class MeasuredProcess {
  readonly name: string;
  readonly #child: ChildProcess;
  #output = '';

  /** `command`: flags of Node, the program, and its arguments. */
  constructor(name: string, command: readonly string[], environment: NodeJS.ProcessEnv = {}) {
    this.name = name;
    const programAt = command.findIndex((word) => !word.startsWith('--'));
    const [program, ...rest] = command.slice(programAt);
    this.#child = fork(program!, rest, {
      execArgv: [...command.slice(0, programAt), '--expose-gc', '--import', PROBE],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { ...process.env, NODE_ENV: 'production', ...environment },
    });
    const keep = (chunk: Buffer) => {
      this.#output = (this.#output + chunk.toString()).slice(-KEPT_OUTPUT);
    };
    this.#child.stdout?.on('data', keep);
    this.#child.stderr?.on('data', keep);
  }

  /** What the process said last, and how it ended, if it did. */
  account(): string {
    const { exitCode, signalCode } = this.#child;
    const state = exitCode === null && signalCode === null ? 'is running' : `ended with ${signalCode ?? exitCode}`;
    return `${this.name} ${state}; its last output:\n${this.#output || '(none)'}`;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async cpuMicroseconds(): Promise<number> {
    return (await this.#ask<CpuAnswer>('cpu')).cpuMicroseconds;
  }

  memory(): Promise<MemoryAnswer> {
    return this.#ask<MemoryAnswer>('memory');
  }

  /** Profiles the process while `work` runs. */
  async profile(work: () => Promise<void>): Promise<ProfileAnswer> {
    await this.#ask('begin profile');
    await work();
    return this.#ask<ProfileAnswer>('end profile');
  }

  async #ask<Answer>(question: 'cpu' | 'memory' | 'begin profile' | 'end profile'): Promise<Answer> {
    if (!this.running) throw new Error(`can't ask for ${question}: ${this.account()}`);
    const answer = once(this.#child, 'message', { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    this.#child.send(question);
    try {
      return (await answer)[0] as Answer;
    } catch (error) {
      throw new Error(`no answer to ${question} within ${ANSWER_WITHIN_MS} ms: ${this.account()}`, { cause: error });
    }
  }

  async stop(): Promise<void> {
    if (!this.running) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_WITHIN_MS);
    await ended;
    clearTimeout(timer);
  }
}
