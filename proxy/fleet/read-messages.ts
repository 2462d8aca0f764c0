import { z } from 'zod';
import { MAX_MESSAGE_BYTES } from '../../contract/fleet.ts';
import { ChannelError } from './channel-error.ts';

/** The largest message takes far less; who is slower does not send a message. */
export const MESSAGE_TIMEOUT_MS = 60_000;

const NEWLINE = 0x0a;

/**
 * `ConfigMessage`, but with the config unread: it is `Proxy.applyConfig` that validates it, so that a config which is refused is
 * reported as a refused revision and not as a broken channel.
 */
const envelope = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('config'), config: z.unknown() }),
  z.strictObject({ type: z.literal('ping') }),
]);
export type Envelope = z.output<typeof envelope>;

/** Reads the config stream: one JSON message a line. Throws `ChannelError` for what is too large, too slow, cut off or no message. */
export async function* readMessages(chunks: AsyncIterable<Buffer>, now: () => number): AsyncGenerator<Envelope> {
  let parts: Buffer[] = [];
  let size = 0;
  let beganAt = now();
  for await (const chunk of chunks) {
    let rest = chunk;
    for (let end = rest.indexOf(NEWLINE); end !== -1; end = rest.indexOf(NEWLINE)) {
      assertSize(size + end);
      yield parseMessage(Buffer.concat([...parts, rest.subarray(0, end)]));
      rest = rest.subarray(end + 1);
      parts = [];
      size = 0;
    }
    if (size === 0) beganAt = now();
    if (rest.length === 0) continue;
    parts.push(rest);
    size += rest.length;
    assertSize(size);
    if (now() - beganAt > MESSAGE_TIMEOUT_MS) {
      throw new ChannelError('FLEET_SILENT', `a message of the operator took more than ${MESSAGE_TIMEOUT_MS} ms`);
    }
  }
  if (size > 0) throw new ChannelError('FLEET_MESSAGE', `the config stream ended inside a message, after ${size} bytes of it`);
}

function parseMessage(line: Buffer): Envelope {
  try {
    return envelope.parse(JSON.parse(line.toString()));
  } catch (error) {
    throw new ChannelError('FLEET_MESSAGE', `the operator sent ${line.length} bytes that are no message`, { cause: error });
  }
}

function assertSize(size: number): void {
  if (size > MAX_MESSAGE_BYTES) {
    throw new ChannelError('FLEET_MESSAGE', `the operator sent a message of more than ${MAX_MESSAGE_BYTES} bytes`);
  }
}
