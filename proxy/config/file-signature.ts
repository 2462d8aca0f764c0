import { statSync } from 'node:fs';

/** Signature of a file that is not there. */
export const MISSING_FILE = 'missing';

/** Changes whenever the file does, also behind a symlink that is swapped. A file that can't be looked at counts as missing. */
export function fileSignature(path: string): string {
  try {
    const { dev, ino, mtimeMs, size } = statSync(path);
    return `${dev}:${ino}:${mtimeMs}:${size}`;
  } catch {
    // Whoever reads the file next meets the same error, and says it.
    return MISSING_FILE;
  }
}
