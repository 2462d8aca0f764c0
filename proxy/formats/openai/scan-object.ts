/**
 * Finds what is needed in the bytes of a JSON object without making objects of it: a prompt that is only passed on is never parsed.
 * Strings are skipped with `indexOf`, which runs at memory speed; only structure is looked at byte by byte.
 */
export interface Span {
  /** Offset of the first byte of the value. */
  start: number;
  /** Offset behind its last byte. */
  end: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COLON = 0x3a;
const COMMA = 0x2c;

/** Short strings are walked; from here on a native search is cheaper than a loop. */
const WALK_BYTES = 24;

/** Keys to look for, as their bytes. */
export function wantedKeys(...names: string[]): readonly Buffer[] {
  return names.map((name) => Buffer.from(name));
}

/**
 * Returns the spans of the wanted top-level keys, in their order, or `undefined` when the bytes are not one JSON object of sound structure,
 * or hold a wanted key twice: then only a real parser tells what is meant.
 */
export function scanObject(bytes: Buffer, wanted: readonly Buffer[]): (Span | undefined)[] | undefined {
  const found = new Array<Span | undefined>(wanted.length).fill(undefined);
  let at = skipSpace(bytes, 0);
  if (bytes[at] !== OPEN_BRACE) return undefined;
  at = skipSpace(bytes, at + 1);
  if (bytes[at] === CLOSE_BRACE) return skipSpace(bytes, at + 1) === bytes.length ? found : undefined;
  for (;;) {
    if (bytes[at] !== QUOTE) return undefined;
    const keyEnd = skipString(bytes, at);
    if (keyEnd < 0) return undefined;
    const key = indexOfKey(bytes, at + 1, keyEnd - 1, wanted);
    at = skipSpace(bytes, keyEnd);
    if (bytes[at] !== COLON) return undefined;
    const start = skipSpace(bytes, at + 1);
    const end = skipValue(bytes, start);
    if (end < 0) return undefined;
    if (key >= 0) {
      if (found[key] !== undefined) return undefined;
      found[key] = { start, end };
    }
    at = skipSpace(bytes, end);
    if (bytes[at] === CLOSE_BRACE) return skipSpace(bytes, at + 1) === bytes.length ? found : undefined;
    if (bytes[at] !== COMMA) return undefined;
    at = skipSpace(bytes, at + 1);
  }
}

/** Which wanted key stands between the quotes; -1 for none. Keys may be written with escapes, so those are read as JSON. */
function indexOfKey(bytes: Buffer, start: number, end: number, wanted: readonly Buffer[]): number {
  for (let at = start; at < end; at += 1) if (bytes[at] === BACKSLASH) return indexOfEscapedKey(bytes, start, end, wanted);
  for (let index = 0; index < wanted.length; index += 1) if (isAt(bytes, start, end, wanted[index] as Buffer)) return index;
  return -1;
}

function isAt(bytes: Buffer, start: number, end: number, key: Buffer): boolean {
  if (end - start !== key.length) return false;
  for (let offset = 0; offset < key.length; offset += 1) if (bytes[start + offset] !== key[offset]) return false;
  return true;
}

function indexOfEscapedKey(bytes: Buffer, start: number, end: number, wanted: readonly Buffer[]): number {
  try {
    const key = Buffer.from(JSON.parse(`"${bytes.toString('utf8', start, end)}"`) as string);
    return wanted.findIndex((name) => name.equals(key));
  } catch {
    return -1;
  }
}

function skipSpace(bytes: Buffer, from: number): number {
  let at = from;
  while (at < bytes.length) {
    const byte = bytes[at] as number;
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) break;
    at += 1;
  }
  return at;
}

/** From the opening quote to behind the closing one; -1 when there is none. */
function skipString(bytes: Buffer, from: number): number {
  const walkTo = Math.min(bytes.length, from + WALK_BYTES);
  let at = from + 1;
  while (at < walkTo) {
    const byte = bytes[at];
    if (byte === QUOTE) return at + 1;
    at += byte === BACKSLASH ? 2 : 1;
  }
  for (;;) {
    const quote = bytes.indexOf(QUOTE, at);
    if (quote < 0) return -1;
    // An odd run of backslashes before it escapes the quote. The run can't begin before `at`: what lies there was read as whole escapes.
    let run = quote;
    while (run > at && bytes[run - 1] === BACKSLASH) run -= 1;
    if ((quote - run) % 2 === 0) return quote + 1;
    at = quote + 1;
  }
}

/** From the first byte of a value to behind its last; -1 when brackets or strings do not close. What is inside is the provider's to judge. */
function skipValue(bytes: Buffer, from: number): number {
  const first = bytes[from];
  if (first === QUOTE) return skipString(bytes, from);
  if (first !== OPEN_BRACE && first !== OPEN_BRACKET) return skipScalar(bytes, from);
  let depth = 0;
  let at = from;
  while (at < bytes.length) {
    const byte = bytes[at] as number;
    if (byte === QUOTE) {
      at = skipString(bytes, at);
      if (at < 0) return -1;
      continue;
    }
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      depth += 1;
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
    at += 1;
  }
  return -1;
}

function skipScalar(bytes: Buffer, from: number): number {
  let at = from;
  while (at < bytes.length) {
    const byte = bytes[at] as number;
    if (byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET || byte <= 0x20) break;
    at += 1;
  }
  return at > from ? at : -1;
}
