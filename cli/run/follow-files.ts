import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { createFileWatcher } from '../../proxy/config/file-watcher.ts';
import { CliError } from '../cli-error.ts';
import { formatProblem } from '../input/file-problem.ts';
import type { SourceFile } from '../input/read-source-file.ts';
import { FilesRefusedError, fingerprint, readSourceFiles } from './load-config.ts';

/** Two looks this far apart have to see the same. */
const SETTLE_MS = 150;
/** Files that never hold still are taken as they are after so many looks. */
const MAX_LOOKS = 20;

export interface FollowOptions {
  paths: readonly string[];
  /** The files as they were read last. */
  current: readonly SourceFile[];
  /** Serves what the files say. What it throws leaves everything as it was. */
  apply(files: readonly SourceFile[]): void;
  /** What became of a change, line by line. */
  tell(line: string): void;
  logger: Logger;
}

/** Serves every change of the files from now on. One that is wrong is refused, told once, and what was served before goes on. */
export async function followFiles({ paths, current, apply, tell, logger }: FollowOptions): Promise<{ stop(): void }> {
  let known = fingerprint(current);
  let state: 'resting' | 'looking' | 'lookingAgain' = 'resting';
  let stopped = false;

  const look = async () => {
    if (state !== 'resting') {
      state = 'lookingAgain';
      return;
    }
    do {
      state = 'looking';
      await lookOnce();
    } while ((state as string) === 'lookingAgain' && !stopped);
    state = 'resting';
  };

  const lookOnce = async () => {
    const found = await readSettled(paths, known);
    // What is wrong is told once, and not at every look.
    if (found.seen === known || stopped) return;
    known = found.seen;
    try {
      if ('error' in found) throw found.error;
      apply(found.files);
      tell('took the change of the files');
    } catch (error) {
      for (const line of refusal(error)) tell(line);
      tell('refused the change of the files: what was served before goes on');
    }
  };

  const watcher = createFileWatcher(() => void look(), logger);
  // Directories and not files: an editor that saves by renaming leaves a watch of the file with what was thrown away.
  for (const path of paths) watcher.add((await stat(path)).isDirectory() ? path : dirname(path));
  return {
    stop: () => {
      stopped = true;
      watcher.close();
    },
  };
}

type Found = { seen: string } & ({ files: readonly SourceFile[] } | { error: unknown });

/**
 * The files once they hold still: whoever writes them empties them first, or writes one after the other, and half a change may well be valid,
 * and lack a route.
 */
async function readSettled(paths: readonly string[], known: string): Promise<Found> {
  let found = await readFound(paths);
  for (let looks = 1; looks < MAX_LOOKS && found.seen !== known; looks++) {
    await delay(SETTLE_MS);
    const again = await readFound(paths);
    if (again.seen === found.seen) break;
    found = again;
  }
  return found;
}

async function readFound(paths: readonly string[]): Promise<Found> {
  try {
    const files = await readSourceFiles(paths);
    return { files, seen: fingerprint(files) };
  } catch (error) {
    return { error, seen: refusal(error).join('\n') };
  }
}

/** Why a change is not taken, in lines. Anything else than a refusal is a defect of ours, and is told with its name rather than hidden. */
function refusal(error: unknown): string[] {
  if (error instanceof FilesRefusedError) return error.problems.map(formatProblem);
  if (error instanceof CliError) return [error.message];
  return [`${(error as Error).name}: ${(error as Error).message}`];
}
