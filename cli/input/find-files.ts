import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CliError } from '../cli-error.ts';
import { unreadable } from './read-source-file.ts';

/** Far more than a namespace has; a wrong directory is named instead of read. */
const MAX_FILES = 1_000;

const MANIFEST = /\.(ya?ml|json)$/;

/**
 * The files that paths stand for: a file is itself, a directory its `.yaml`, `.yml` and `.json` files (not those of directories in it, as with
 * `kubectl apply -f`). Sorted within a directory; each once.
 */
export async function findFiles(paths: readonly string[]): Promise<string[]> {
  const files = new Set<string>();
  for (const path of paths) {
    for (const file of (await isDirectory(path)) ? await manifestsIn(path) : [path]) files.add(file);
  }
  if (files.size > MAX_FILES) {
    throw new CliError(
      'TOO_MANY_FILES',
      `${paths.join(' ')} holds ${files.size} files, more than ${MAX_FILES}: name a smaller directory`,
    );
  }
  return [...files];
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    throw unreadable(path, error);
  }
}

async function manifestsIn(directory: string): Promise<string[]> {
  const entries = await readdir(directory);
  return entries
    .filter((name) => MANIFEST.test(name) && !name.startsWith('.'))
    .sort()
    .map((name) => join(directory, name));
}
