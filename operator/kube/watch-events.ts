import { type StatusBody, statusError } from './http-transport.ts';
import { KubeError } from './kube-error.ts';
import type { KubeObject } from './kube-object.ts';

export type WatchEvent<T extends KubeObject> =
  | { type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: T }
  /** Nothing of this selection changed up to this version: a watch may go on from here. */
  | { type: 'BOOKMARK'; resourceVersion: string };

/** etcd takes 1.5 MiB an object by default; JSON may be some times longer than what is stored. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;
const NEWLINE = 0x0a;

/**
 * Reads a watch, one JSON object a line. A line that was cut off is no event: the watch is resumed from before it.
 * Throws the `KubeError` of an `ERROR` event.
 */
export async function* readWatchEvents<T extends KubeObject>(
  stream: AsyncIterable<Buffer>,
  request: string,
): AsyncGenerator<WatchEvent<T>> {
  for await (const line of readLines(stream, request)) {
    const { type, object } = parseLine(line, request);
    switch (type) {
      case 'ADDED':
      case 'MODIFIED':
      case 'DELETED':
        yield { type, object: object as T };
        break;
      case 'BOOKMARK':
        yield { type, resourceVersion: (object as KubeObject).metadata.resourceVersion ?? '' };
        break;
      case 'ERROR': {
        const status = object as StatusBody;
        throw statusError(request, status.code ?? 500, status);
      }
      default:
        throw new KubeError({ code: 'Unexpected', request, message: `unknown watch event ${String(type)}` });
    }
  }
}

async function* readLines(stream: AsyncIterable<Buffer>, request: string): AsyncGenerator<string> {
  let parts: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      parts.push(chunk.subarray(start, end));
      yield Buffer.concat(parts).toString('utf8');
      parts = [];
      size = 0;
      start = end + 1;
    }
    if (start < chunk.length) {
      parts.push(chunk.subarray(start));
      size += chunk.length - start;
      if (size > MAX_LINE_BYTES)
        throw new KubeError({ code: 'Unexpected', request, message: `an event is longer than ${MAX_LINE_BYTES} bytes` });
    }
  }
}

function parseLine(line: string, request: string): { type: unknown; object: unknown } {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new KubeError({ code: 'Unexpected', request, message: 'an event is not JSON', cause });
  }
}
