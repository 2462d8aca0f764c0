import { type FSWatcher, watch } from 'node:fs';
import type { Logger } from 'pino';

/**
 * Beside watching, since a watch misses things: a directory that does not exist yet, a symlink that is swapped in another one, file
 * systems without events. Also the longest that a rotated key waits to be read.
 */
export const POLL_INTERVAL_MS = 2_000;
/** Kubelet swaps a volume in several steps within a moment: one check after them. */
const SETTLE_MS = 50;
/** Each costs an inotify watch, of which a node has a limited number. Directories beyond are polled only. */
const MAX_WATCHED_DIRECTORIES = 128;

export interface FileWatcher {
  /** Also checks soon after a change of this directory. */
  add(directory: string): void;
  close(): void;
}

/** Calls `check` soon after a change in any of the directories, and at every poll. `check` must not throw. */
export function createFileWatcher(check: () => void, logger: Logger, pollIntervalMs = POLL_INTERVAL_MS): FileWatcher {
  const watchers = new Map<string, FSWatcher | undefined>();
  let settling: NodeJS.Timeout | undefined;

  const poll = setInterval(() => {
    for (const [directory, watcher] of watchers) if (watcher === undefined) tryWatch(directory);
    check();
  }, pollIntervalMs);

  function tryWatch(directory: string): void {
    try {
      const watcher = watch(directory, { persistent: false }, () => {
        settling ??= setTimeout(() => {
          settling = undefined;
          check();
        }, SETTLE_MS);
      });
      watcher.on('error', (error) => giveUp(directory, watcher, error));
      watchers.set(directory, watcher);
    } catch (error) {
      // It may come yet: the poll tries again, and finds its files meanwhile.
      logger.trace({ err: error, directory }, 'a directory is not watched yet');
    }
  }

  function giveUp(directory: string, watcher: FSWatcher, error: Error): void {
    logger.debug({ err: error, directory }, 'a directory is polled, for watching it failed');
    watcher.close();
    if (watchers.get(directory) === watcher) watchers.set(directory, undefined);
  }

  return {
    add(directory) {
      if (watchers.has(directory) || watchers.size >= MAX_WATCHED_DIRECTORIES) return;
      watchers.set(directory, undefined);
      tryWatch(directory);
    },
    close() {
      clearInterval(poll);
      clearTimeout(settling);
      for (const watcher of watchers.values()) watcher?.close();
      watchers.clear();
    },
  };
}
