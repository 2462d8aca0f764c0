const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const EMPTY = Buffer.alloc(0);

/** Called for each whole event with its place in the bytes, blank line included. False: stop in front of it. */
export type EventReader = (bytes: Buffer, start: number, end: number, oneLine: boolean) => boolean;

/**
 * Finds the events in the bytes of a server-sent event stream, wherever it was cut, and gives the bytes of whole events on as they came.
 * A parser that only tells the events' text would not do: the client is to read the provider's own bytes.
 * https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream (lone carriage returns are not taken for line ends).
 */
export class EventSplitter {
  overflowed = false;
  readonly #maxEventBytes: number;
  /** The begin of an event that is not whole yet, in a buffer that grows by doubling: an event in many pieces is copied twice, not each time. */
  #rest: Buffer = EMPTY;
  #restLength = 0;
  #stopped = false;

  constructor(maxEventBytes: number) {
    this.#maxEventBytes = maxEventBytes;
  }

  push(chunk: Buffer, read: EventReader): Buffer {
    if (this.#stopped) return EMPTY;
    if (this.#restLength === 0) return this.#split(chunk, 0, read);
    const searchFrom = Math.max(0, this.#restLength - 2);
    this.#append(chunk);
    return this.#split(this.#rest.subarray(0, this.#restLength), searchFrom, read);
  }

  #split(bytes: Buffer, searchFrom: number, read: EventReader): Buffer {
    let start = 0;
    let from = searchFrom;
    let oneLine = searchFrom === 0;
    for (;;) {
      const feed = bytes.indexOf(LINE_FEED, from);
      if (feed < 0) break;
      const end = endOfBlankLine(bytes, feed + 1);
      if (end < 0) {
        from = feed + 1;
        oneLine = false;
        continue;
      }
      if (!read(bytes, start, end, oneLine)) {
        this.#stopped = true;
        return bytes.subarray(0, start);
      }
      start = end;
      from = end;
      oneLine = true;
    }
    this.#keep(bytes, start);
    return start === 0 ? EMPTY : bytes.subarray(0, start);
  }

  #append(chunk: Buffer): void {
    const length = this.#restLength + chunk.length;
    if (length > this.#rest.length) {
      const grown = Buffer.allocUnsafe(Math.max(length, this.#rest.length * 2));
      this.#rest.copy(grown, 0, 0, this.#restLength);
      this.#rest = grown;
    }
    chunk.copy(this.#rest, this.#restLength);
    this.#restLength = length;
  }

  #keep(bytes: Buffer, start: number): void {
    const length = bytes.length - start;
    if (length > this.#maxEventBytes) {
      this.overflowed = true;
      this.#stopped = true;
      return;
    }
    if (start === 0 && this.#restLength === bytes.length) return;
    // A copy of its own: what was passed on may still be on its way to the client.
    this.#rest = length === 0 ? EMPTY : Buffer.from(bytes.subarray(start));
    this.#restLength = length;
  }
}

/** Behind the blank line that begins at `at`; -1 when there is none. */
function endOfBlankLine(bytes: Buffer, at: number): number {
  if (bytes[at] === LINE_FEED) return at + 1;
  return bytes[at] === CARRIAGE_RETURN && bytes[at + 1] === LINE_FEED ? at + 2 : -1;
}
