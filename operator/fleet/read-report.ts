import type { IncomingMessage } from 'node:http';
import { MAX_MESSAGE_BYTES, type ProxyReport, proxyReport } from '../../contract/fleet.ts';

/** Bytes of reports that are in memory at once, over all proxies: four of the largest, or thousands of usual ones. */
export const MAX_REPORT_BYTES_AT_ONCE = 4 * MAX_MESSAGE_BYTES;
/** A report of a proxy that has nothing to serve, and all the failovers that it may keep. */
export const BASE_REPORT_BYTES = 256 * 1024;
/** A target takes 150 bytes of a config at least, and with all its words, evidence and probe, 3 kB of a report. */
export const REPORT_BYTES_PER_CONFIG_BYTE = 32;
/** Problems that an answer names: enough to see what is wrong, bounded whatever was sent. */
const MAX_NAMED_PROBLEMS = 3;

export type ReadReport =
  | { outcome: 'Read'; report: ProxyReport }
  | { outcome: 'TooLarge'; message: string }
  | { outcome: 'Busy'; message: string }
  | { outcome: 'Invalid'; message: string }
  /** The proxy went away before it had said all: there is nobody to answer. */
  | { outcome: 'BrokenOff' };

export type ReportReader = (request: IncomingMessage, maxBytes: number) => Promise<ReadReport>;

/**
 * How long a report may be in a namespace whose config has so many bytes. The newest report of every proxy is kept: were each as long as
 * the longest that is possible, whoever can make tokens in one namespace could fill the memory of the operator.
 */
export function maxReportBytes(configBytes: number): number {
  return Math.min(MAX_MESSAGE_BYTES, BASE_REPORT_BYTES + REPORT_BYTES_PER_CONFIG_BYTE * configBytes);
}

/** Reads and validates bodies of reports within one memory budget. Never rejects. Time is bounded by the server's `requestTimeout`. */
export function createReportReader(): ReportReader {
  let bytesAtOnce = 0;

  async function readBody(
    request: IncomingMessage,
    maxBytes: number,
  ): Promise<Buffer | Exclude<ReadReport, { outcome: 'Read' }>> {
    const tooLarge = { outcome: 'TooLarge' as const, message: `a report of this namespace may have ${maxBytes} bytes` };
    if (Number(request.headers['content-length'] ?? 0) > maxBytes) return tooLarge;
    const chunks: Buffer[] = [];
    let size = 0;
    try {
      for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        size += chunk.length;
        bytesAtOnce += chunk.length;
        if (size > maxBytes) return tooLarge;
        if (bytesAtOnce > MAX_REPORT_BYTES_AT_ONCE) return { outcome: 'Busy', message: 'too many reports at once: report again' };
        chunks.push(chunk);
      }
      return request.complete ? Buffer.concat(chunks) : { outcome: 'BrokenOff' };
    } catch {
      // Reading fails in one way only: the connection broke, which the proxy sees for itself.
      return { outcome: 'BrokenOff' };
    } finally {
      bytesAtOnce -= size;
    }
  }

  return async (request, maxBytes) => {
    const body = await readBody(request, maxBytes);
    return Buffer.isBuffer(body) ? parseReport(body.toString()) : body;
  };
}

/** Pure. The message names the fields that are wrong, and never their values. */
export function parseReport(body: string): Extract<ReadReport, { outcome: 'Read' | 'Invalid' }> {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return { outcome: 'Invalid', message: 'the report is no JSON' };
  }
  const parsed = proxyReport.safeParse(value);
  if (parsed.success) return { outcome: 'Read', report: parsed.data };
  const { issues } = parsed.error;
  const named = issues.slice(0, MAX_NAMED_PROBLEMS).map(({ path, message }) => `${path.join('.') || 'report'}: ${message}`);
  const more = issues.length > named.length ? `; and ${issues.length - named.length} more` : '';
  return { outcome: 'Invalid', message: `${named.join('; ')}${more}`.slice(0, 1_024) };
}
