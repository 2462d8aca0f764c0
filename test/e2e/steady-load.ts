import OpenAI from 'openai';
import { type Asked, ask } from '../lab/ask.ts';

/** The application's own key, which means nothing to Understudy and must not go any further. */
export const APPLICATION_KEY = 'sk-application-6c1f0d0e9a3b4d57';
/** An answer that takes longer than this is as good as none. */
const ANSWER_WITHIN_MS = 60_000;
/** So many words: a stream of them lasts some seconds where the provider takes its time. */
const STREAMED_WORDS = 20;

export interface LoadReport {
  answers: number;
  streams: number;
  /** Each with the time at which it was asked. Empty when all is well. */
  failures: string[];
  /** Answers by the target that gave them. */
  targets: Record<string, number>;
}

export interface SteadyLoad {
  /** What has been seen so far. */
  report(): LoadReport;
  /** Resolves when so many more requests have been answered. */
  more(answers: number): Promise<void>;
  /** Waits for what is under way. */
  stop(): Promise<LoadReport>;
}

/** An application: asks at a steady pace, in turn for a whole answer and for a stream, and never tries again. */
export function startLoad(options: { baseURL: string; model: string; everyMs: number }): SteadyLoad {
  const client = createClient(options.baseURL);
  const report: LoadReport = { answers: 0, streams: 0, failures: [], targets: {} };
  const running = new Set<Promise<void>>();
  const waiting = new Set<() => void>();
  let number = 0;

  async function one(stream: boolean): Promise<void> {
    const askedAt = new Date().toISOString();
    const prompt = `[${STREAMED_WORDS} words]`;
    const seen = await ask(client, { model: options.model, stream, prompt, timeoutMs: ANSWER_WITHIN_MS });
    const problem = whatIsWrong(seen);
    if (problem !== undefined) report.failures.push(`${askedAt} ${stream ? 'stream' : 'unary'}: ${problem}`);
    else {
      report.answers += 1;
      if (stream) report.streams += 1;
      const target = seen.headers?.get('x-understudy-target') ?? 'nobody';
      report.targets[target] = (report.targets[target] ?? 0) + 1;
    }
    for (const wake of waiting) wake();
  }

  const timer = setInterval(() => {
    number += 1;
    const asking = one(number % 2 === 0).finally(() => running.delete(asking));
    running.add(asking);
  }, options.everyMs);

  return {
    report: () => report,
    async more(answers) {
      const enough = report.answers + answers;
      while (report.answers < enough && report.failures.length === 0) {
        await new Promise<void>((resolve) => {
          const wake = () => {
            waiting.delete(wake);
            resolve();
          };
          waiting.add(wake);
        });
      }
    },
    async stop() {
      clearInterval(timer);
      await Promise.all(running);
      return report;
    },
  };
}

export function createClient(baseURL: string): OpenAI {
  return new OpenAI({ baseURL, apiKey: APPLICATION_KEY, maxRetries: 0, logLevel: 'off' });
}

/** The last word has to be there, and the end has to be said. */
function whatIsWrong({ error, text, finishReason, headers }: Asked): string | undefined {
  if (error !== undefined) {
    const { message, cause } = error as Error;
    return `${message} ${cause === undefined ? '' : String((cause as { code?: string }).code ?? cause)} after "${text}" ${headers?.get('x-understudy-target') ?? ''}`;
  }
  if (finishReason !== 'stop' || !text.endsWith(` word${STREAMED_WORDS - 1}`)) return `not whole (${finishReason}): ${text}`;
  return undefined;
}
