import process from 'node:process';
import type { Terminal } from './terminal.ts';

/**
 * npm hands Ctrl-C on to a child that had it from the terminal already, so two signals this close are one wish.
 * Later than that, a second one means "now".
 */
const SAME_WISH_MS = 1_000;

/** The terminal of this process. */
export function processTerminal(): Terminal {
  let interruption: AbortController | undefined;
  // `understudy get … | head` closes our output early: that is no failure of ours, and there is nobody left to tell.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  return {
    stdin: process.stdin,
    print: (line) => void process.stdout.write(`${line}\n`),
    tell: (line) => void process.stderr.write(`${line}\n`),
    env: process.env,
    interruption: () => {
      if (interruption === undefined) {
        interruption = new AbortController();
        onInterruption(interruption);
      }
      return interruption.signal;
    },
  };
}

function onInterruption(controller: AbortController): void {
  let first: number | undefined;
  const interrupted = (signal: NodeJS.Signals) => {
    const now = Date.now();
    if (first === undefined) {
      first = now;
      controller.abort(signal);
    } else if (now - first > SAME_WISH_MS) process.exit(130);
  };
  process.on('SIGINT', interrupted);
  process.on('SIGTERM', interrupted);
}
