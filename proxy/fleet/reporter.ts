import type { Logger } from 'pino';
import { type FailoverRecord, MAX_MESSAGE_BYTES, REPORT_INTERVAL_MS, reportAnswer } from '../../contract/fleet.ts';
import type { Proxy } from '../proxy.ts';
import { asChannelError, ChannelError } from './channel-error.ts';
import type { OperatorConnection } from './operator-connection.ts';

/** After a report that failed: news must not wait for the interval, and must not hammer either. */
const RETRY_AFTER_MS = 1_000;

export interface Reporter {
  /** Reports at once; or, while a report is under way, right after it. */
  tell(): void;
  /** Nothing is reported while the channel is away. */
  pause(): void;
  resume(): void;
}

/** One report at a time, at once on news and else every interval. What is not sent is not queued: the next report says it all. */
export function createReporter(proxy: Proxy, connection: OperatorConnection, logger: Logger): Reporter {
  let timer: NodeJS.Timeout | undefined;
  let sending = false;
  let news = false;
  let paused = true;
  /** Of the last report; none when it went well. */
  let problem: ChannelError | undefined;

  async function send(): Promise<void> {
    clearTimeout(timer);
    sending = true;
    news = false;
    try {
      await exchange();
      problem = undefined;
    } catch (error) {
      const before = problem;
      problem = asChannelError(error);
      // Said once, not every time for as long as it lasts.
      if (before?.code !== problem.code && !paused) {
        logger.warn({ code: problem.code, detail: problem.message }, 'a report did not reach the operator');
      }
    }
    sending = false;
    if (paused) return;
    timer = setTimeout(send, untilNext());
  }

  function untilNext(): number {
    if (problem === undefined) return news ? 0 : REPORT_INTERVAL_MS;
    // What the operator does not want it will not want a second later.
    const { status = 500 } = problem;
    return status < 500 ? REPORT_INTERVAL_MS : RETRY_AFTER_MS;
  }

  async function exchange(): Promise<void> {
    const report = proxy.report();
    const body = JSON.stringify(report);
    if (Buffer.byteLength(body) > MAX_MESSAGE_BYTES) {
      throw new ChannelError('FLEET_MESSAGE', `the report has more than ${MAX_MESSAGE_BYTES} bytes and can't be sent`);
    }
    const answer = parseAnswer(await connection.sendReport(body));
    proxy.adoptView(answer.view);
    const taken = unchangedSince(report.failovers, proxy.report().failovers, answer.acknowledged);
    if (taken.length > 0) proxy.acknowledge(taken);
  }

  return {
    tell() {
      news = true;
      if (!sending && !paused && problem === undefined) void send();
    },
    pause() {
      paused = true;
      clearTimeout(timer);
    },
    resume() {
      paused = false;
      news = true;
      if (!sending) void send();
    },
  };
}

function parseAnswer(body: string) {
  try {
    return reportAnswer.parse(JSON.parse(body));
  } catch (error) {
    throw new ChannelError('FLEET_MESSAGE', "the operator's answer to a report is not what the contract says", { cause: error });
  }
}

/**
 * Pure: the acknowledged records that are still as they were sent. One that got its `returned` in the meantime is not forgotten: the
 * operator has not heard of that yet.
 */
export function unchangedSince(
  sent: readonly FailoverRecord[],
  present: readonly FailoverRecord[],
  acknowledged: readonly string[],
): string[] {
  const returned = (records: readonly FailoverRecord[], id: string) => records.find((record) => record.id === id)?.returned;
  return acknowledged.filter((id) => returned(sent, id) === returned(present, id));
}
