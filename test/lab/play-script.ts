import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Step } from './script-answer.ts';

/** Filling goes out in pieces of this size, so that a gigantic answer costs the lab nothing. */
const FILL = Buffer.alloc(64 * 1024, 'x');

export interface Stage {
  response: ServerResponse;
  /** Aborts when the client has gone or the lab stops. */
  signal: AbortSignal;
  reset(): void;
}

/** Carries a script out. Resolves with how it went; `gone` when the client did not wait for its end. */
export async function playScript(steps: readonly Step[], stage: Stage): Promise<'whole' | 'faulted' | 'gone'> {
  const { response, signal } = stage;
  try {
    for (const step of steps) {
      signal.throwIfAborted();
      switch (step.do) {
        case 'head':
          response.writeHead(step.status, step.headers);
          response.flushHeaders();
          break;
        case 'write':
          await send(response, step.bytes, signal);
          break;
        case 'fill':
          for (let left = step.bytes; left > 0; left -= FILL.length) {
            await send(response, FILL.subarray(0, Math.min(left, FILL.length)), signal);
          }
          break;
        case 'wait':
          await sleep(step.ms, undefined, { signal });
          break;
        case 'repeat':
          for (;;) {
            await send(response, step.bytes, signal);
            await sleep(step.everyMs, undefined, { signal });
          }
        case 'silence':
          await once(signal, 'abort');
          return 'gone';
        case 'end':
          response.end();
          return 'whole';
        case 'close':
          await flushed(response, signal);
          response.destroy();
          return 'faulted';
        case 'reset':
          await flushed(response, signal);
          stage.reset();
          return 'faulted';
        default:
          throw new Error(`unknown step ${JSON.stringify(step satisfies never)}`);
      }
    }
    throw new Error('a script must say how it is over');
  } catch (error) {
    if (signal.aborted) return 'gone';
    throw error;
  }
}

async function send(response: ServerResponse, bytes: string | Buffer, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (!response.write(bytes)) await once(response, 'drain', { signal });
}

/** What was written has left this process, so that a cut comes after it. A reset may still overtake bytes in the client's kernel. */
async function flushed(response: ServerResponse, signal: AbortSignal): Promise<void> {
  if (!response.headersSent) return;
  await new Promise<void>((resolve) => response.write('', () => resolve()));
  await sleep(RESET_PAUSE_MS, undefined, { signal });
}

/** A reset discards what the client has not read yet: this long is enough for it to read first. */
const RESET_PAUSE_MS = 30;
