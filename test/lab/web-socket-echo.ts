import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

/** RFC 6455, section 1.3. */
const ACCEPT_SALT = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const OPCODE = { continuation: 0x0, text: 0x1, binary: 0x2, close: 0x8, ping: 0x9, pong: 0xa } as const;
const FIN = 0x80;

interface Frame {
  opcode: number;
  payload: Buffer;
  /** Bytes of the frame on the wire. */
  size: number;
}

/** Accepts a WebSocket and says back every message, unfragmented; answers pings and the close. */
export function echoWebSocket(request: IncomingMessage, socket: Duplex, head: Buffer, headers: Record<string, string>): void {
  const accept = createHash('sha1').update(`${request.headers['sec-websocket-key']}${ACCEPT_SALT}`).digest('base64');
  const protocol = request.headers['sec-websocket-protocol']?.split(',')[0]?.trim();
  const lines = Object.entries({
    upgrade: 'websocket',
    connection: 'Upgrade',
    'sec-websocket-accept': accept,
    ...(protocol && { 'sec-websocket-protocol': protocol }),
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join('')}\r\n`);
  let waiting: Buffer = head;
  const take = () => {
    for (let frame = readFrame(waiting); frame; frame = readFrame(waiting)) {
      waiting = waiting.subarray(frame.size);
      if (frame.opcode === OPCODE.close) socket.end(writeFrame(OPCODE.close, frame.payload));
      else if (frame.opcode === OPCODE.ping) socket.write(writeFrame(OPCODE.pong, frame.payload));
      else if (frame.opcode !== OPCODE.pong) socket.write(writeFrame(frame.opcode, frame.payload));
    }
  };
  socket.on('data', (bytes: Buffer) => {
    waiting = Buffer.concat([waiting, bytes]);
    take();
  });
  // The client may go without a close frame.
  socket.on('error', () => socket.destroy());
  take();
}

/** The first frame of a client's bytes, unmasked; `undefined` while it is not whole. */
export function readFrame(bytes: Buffer): Frame | undefined {
  if (bytes.length < 2) return undefined;
  const short = bytes[1]! & 0x7f;
  const extended = short === 126 ? 2 : short === 127 ? 8 : 0;
  if (bytes.length < 2 + extended) return undefined;
  const length = extended === 2 ? bytes.readUInt16BE(2) : extended === 8 ? Number(bytes.readBigUInt64BE(2)) : short;
  const masked = (bytes[1]! & 0x80) !== 0;
  const start = 2 + extended + (masked ? 4 : 0);
  if (bytes.length < start + length) return undefined;
  const payload = Buffer.from(bytes.subarray(start, start + length));
  if (masked) for (let index = 0; index < length; index++) payload[index]! ^= bytes[start - 4 + (index % 4)]!;
  return { opcode: bytes[0]! & 0x0f, payload, size: start + length };
}

export function writeFrame(opcode: number, payload: Buffer): Buffer {
  const length = payload.length;
  const head = length < 126 ? Buffer.from([FIN | opcode, length]) : Buffer.alloc(length < 0x10000 ? 4 : 10);
  if (length >= 0x10000) {
    head[0] = FIN | opcode;
    head[1] = 127;
    head.writeBigUInt64BE(BigInt(length), 2);
  } else if (length >= 126) {
    head[0] = FIN | opcode;
    head[1] = 126;
    head.writeUInt16BE(length, 2);
  }
  return Buffer.concat([head, payload]);
}
