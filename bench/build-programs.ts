import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface Programs {
  upstream: string;
  load: string;
}

/** Builds the Go programs of the bench into its cache. Go's own build cache makes the second time quick. */
export async function buildPrograms(benchDirectory: string, cacheDirectory: string): Promise<Programs> {
  const out = join(cacheDirectory, 'bin');
  await mkdir(out, { recursive: true });
  try {
    await promisify(execFile)('go', ['build', '-o', `${out}/`, './upstream', './load'], {
      cwd: benchDirectory,
      env: { ...process.env, CGO_ENABLED: '0' },
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new Error('the bench needs Go 1.25 or newer for its upstream and its load generator: https://go.dev/dl', {
        cause: error,
      });
    }
    throw error;
  }
  return { upstream: join(out, 'upstream'), load: join(out, 'load') };
}
