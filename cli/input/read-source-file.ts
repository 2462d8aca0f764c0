import { readFile, stat } from 'node:fs/promises';
import { CliError } from '../cli-error.ts';

/** Thousands of routes fit; what is larger is not YAML that a person wrote, and would be read into the memory at every change. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;

export interface SourceFile {
  name: string;
  text: string;
}

/** Reads a file as it is now. Throws a `CliError` that names it. */
export async function readSourceFile(name: string): Promise<SourceFile> {
  let size: number;
  try {
    ({ size } = await stat(name));
    if (size <= MAX_FILE_BYTES) return { name, text: await readFile(name, 'utf8') };
  } catch (error) {
    throw unreadable(name, error);
  }
  throw new CliError(
    'FILE_TOO_LARGE',
    `${name} has ${size} bytes, more than the ${MAX_FILE_BYTES} that are read: name another file`,
  );
}

export function unreadable(path: string, error: unknown): CliError {
  const { code } = error as NodeJS.ErrnoException;
  const why = code === 'ENOENT' ? 'there is no such file or directory' : `it can't be read (${code})`;
  return new CliError('UNREADABLE', `${path}: ${why}`, { cause: error });
}
