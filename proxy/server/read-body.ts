import type { IncomingMessage } from 'node:http';

/** From here on a body is copied into one buffer as it comes, instead of being put together at its end. */
const LARGE = 32 * 1024;
/** A length that a client only promises is not believed beyond this: the buffer grows with what really comes. */
const BELIEVED = 1024 * 1024;

/**
 * Reads a request body whole. Stops keeping it, and says so, as soon as it is known to be too large, or when `hold` has no room for more of it.
 */
export function readBody(
  request: IncomingMessage,
  limit: number,
  hold: (bytes: number) => boolean = () => true,
): Promise<Buffer | 'tooLarge' | 'noRoom' | 'aborted'> {
  const promised = Number(request.headers['content-length'] ?? 0);
  if (promised > limit) {
    request.resume();
    return Promise.resolve('tooLarge');
  }
  return new Promise((resolve) => {
    const body = promised > LARGE && promised <= BELIEVED ? new OneBuffer(promised) : new Chunks();
    let length = 0;
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > limit) resolve('tooLarge');
      else if (hold(chunk.length)) body.add(chunk);
      else {
        // What still comes is not kept.
        length = Number.POSITIVE_INFINITY;
        resolve('noRoom');
      }
    });
    request.on('end', () => resolve(body.whole()));
    request.on('close', () => resolve('aborted'));
  });
}

class Chunks {
  #chunks: Buffer[] = [];

  add(chunk: Buffer): void {
    this.#chunks.push(chunk);
  }

  whole(): Buffer {
    return this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks);
  }
}

/** A body of known length. Node's parser ends a body at the length that was promised, so what comes always fits. */
class OneBuffer {
  readonly #buffer: Buffer;
  #length = 0;

  constructor(length: number) {
    this.#buffer = Buffer.allocUnsafeSlow(length);
  }

  add(chunk: Buffer): void {
    this.#length += chunk.copy(this.#buffer, this.#length);
    // The parser's own copy is given back at once: waiting for the collector would make it look through the whole heap every few hundred prompts.
    if (chunk.byteLength === chunk.buffer.byteLength) (chunk.buffer as ArrayBuffer).transfer(0);
  }

  whole(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }
}
