import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { Agent, type RequestOptions, request } from 'node:https';
import { FLEET_PATHS, MAX_MESSAGE_BYTES } from '../../contract/fleet.ts';
import { asChannelError, ChannelError } from './channel-error.ts';

/** From asking to the head of the answer, connecting included. */
const ANSWER_TIMEOUT_MS = 10_000;
/** A report and its whole answer. */
const REPORT_TIMEOUT_MS = 15_000;
/** What a refusal says is for a log line. */
const MAX_REFUSAL_BYTES = 2_048;
/** A CA bundle has one to three certificates, a token about 1 kB. */
const MAX_FILE_BYTES = 256 * 1024;

export interface OperatorConnectionOptions {
  /** `https://understudy-operator.<namespace>.svc:<port>` */
  url: string;
  /** Sent along, so that a token of another namespace is refused instead of giving its config. */
  namespace?: string | undefined;
  caFile: string;
  tokenFile: string;
}

/** The two requests of the contract. The token and the CA are read from their files each time, since both are rotated there. */
export interface OperatorConnection {
  /** The head of the answer has come, and it is the stream. Throws `ChannelError`. */
  openConfig(): Promise<IncomingMessage>;
  /** Gives the body of the answer. Throws `ChannelError`. */
  sendReport(body: string): Promise<string>;
  /** Breaks off what runs; nothing can be sent after it. */
  close(): void;
}

export function createOperatorConnection({ url, namespace, caFile, tokenFile }: OperatorConnectionOptions): OperatorConnection {
  const running = new Set<{ destroy(error?: Error): unknown }>();
  let closed = false;
  let reports: { agent: Agent; ca: string } | undefined;

  /** One connection is kept for reports, until the CA changes. */
  function reportAgent(ca: string): Agent {
    if (reports?.ca !== ca) {
      reports?.agent.destroy();
      reports = { ca, agent: new Agent({ ca, keepAlive: true, maxSockets: 1 }) };
    }
    return reports.agent;
  }

  async function ask(options: RequestOptions & { path: string; body?: string; timeoutMs: number }): Promise<IncomingMessage> {
    const { path, body, timeoutMs, ...rest } = options;
    const target = new URL(path, url);
    if (namespace !== undefined) target.searchParams.set('namespace', namespace);
    const token = (await readBounded(tokenFile)).trim();
    if (closed) throw new ChannelError('FLEET_UNREACHABLE', 'the channel was closed');
    return new Promise((resolve, reject) => {
      const headers = {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
      };
      const sent = request(target, { ...rest, headers, minVersion: 'TLSv1.3' });
      const timer = setTimeout(
        () => sent.destroy(new ChannelError('FLEET_SILENT', `the operator has not answered within ${timeoutMs} ms`)),
        timeoutMs,
      );
      running.add(sent);
      sent.once('close', () => {
        clearTimeout(timer);
        running.delete(sent);
      });
      sent.on('error', (error) => reject(asChannelError(error)));
      sent.once('response', (response) => {
        clearTimeout(timer);
        resolve(response);
      });
      sent.end(body);
    });
  }

  return {
    async openConfig() {
      const ca = await readBounded(caFile);
      const response = await ask({ path: FLEET_PATHS.config, method: 'GET', agent: false, ca, timeoutMs: ANSWER_TIMEOUT_MS });
      if (response.statusCode !== 200) throw await refusal(response);
      return response;
    },
    async sendReport(body) {
      const agent = reportAgent(await readBounded(caFile));
      const response = await ask({ path: FLEET_PATHS.report, method: 'POST', agent, body, timeoutMs: ANSWER_TIMEOUT_MS });
      if (response.statusCode !== 200) throw await refusal(response);
      return readAnswer(response, MAX_MESSAGE_BYTES);
    },
    close() {
      closed = true;
      for (const one of running) one.destroy(new ChannelError('FLEET_UNREACHABLE', 'the channel was closed'));
      reports?.agent.destroy();
    },
  };
}

async function refusal(response: IncomingMessage): Promise<ChannelError> {
  const status = response.statusCode ?? 0;
  const said = await readAnswer(response, MAX_REFUSAL_BYTES).catch((error: unknown) => asChannelError(error).message);
  return new ChannelError('FLEET_REFUSED', `the operator answered ${status}: ${said}`, { status });
}

async function readAnswer(response: IncomingMessage, maxBytes: number): Promise<string> {
  const timer = setTimeout(
    () => response.destroy(new ChannelError('FLEET_SILENT', `an answer of the operator took more than ${REPORT_TIMEOUT_MS} ms`)),
    REPORT_TIMEOUT_MS,
  );
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > maxBytes) throw new ChannelError('FLEET_MESSAGE', `the operator's answer has more than ${maxBytes} bytes`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString();
  } catch (error) {
    throw asChannelError(error);
  } finally {
    clearTimeout(timer);
  }
}

async function readBounded(file: string): Promise<string> {
  try {
    const text = await readFile(file, 'utf8');
    if (text.length === 0 || text.length > MAX_FILE_BYTES) throw new Error(`it has ${text.length} characters`);
    return text;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ChannelError('FLEET_FILES', `${file} can't be used: ${why}`, { cause: error });
  }
}
