import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { CredentialRef } from '../../contract/runtime-config.ts';
import type { CredentialSource } from '../proxy.ts';
import { fileSignature } from './file-signature.ts';
import { createFileWatcher } from './file-watcher.ts';

/** Far above any key; below it, a file that is no key is not read into the memory. */
export const MAX_CREDENTIAL_BYTES = 64 * 1024;
/** Keys that are remembered: more than a config can name. Beyond it each read goes to the file. */
const MAX_REMEMBERED_CREDENTIALS = 4_096;
/** A Secret's name and the key in it, as Kubernetes allows them: nothing that leads out of the directory. */
const SAFE_NAME = /^(?!\.\.)[-._a-zA-Z0-9]{1,253}$/;

export interface CredentialFilesOptions {
  /** Holds one directory for each Secret, in it one file for each key: as a kubelet mounts them. */
  directory: string;
  logger: Logger;
  pollIntervalMs?: number;
}

export interface CredentialFiles extends CredentialSource {
  close(): void;
}

interface Remembered {
  ref: CredentialRef;
  file: string;
  /** Changes whenever the file does, also behind a symlink that is swapped. */
  signature: string;
  value: string | undefined;
}

/** Provider keys from mounted Secrets. Read once, then again when their files change. No value is ever logged. */
export function createCredentialFiles({ directory, logger, pollIntervalMs }: CredentialFilesOptions): CredentialFiles {
  const remembered = new Map<string, Remembered>();
  const listeners = new Set<() => void>();
  const watcher = createFileWatcher(check, logger, pollIntervalMs);
  watcher.add(directory);

  function check(): void {
    let changed = false;
    for (const entry of remembered.values()) {
      const signature = fileSignature(entry.file);
      if (signature === entry.signature) continue;
      const value = readCredential(entry.ref, entry.file);
      if (value !== entry.value) {
        changed = true;
        const state = value === undefined ? 'is gone' : 'has changed';
        logger.info({ secret: entry.ref.secret, key: entry.ref.key }, `a provider key ${state}`);
      }
      Object.assign(entry, { signature, value });
    }
    if (changed) for (const listener of listeners) listener();
  }

  function readCredential({ secret, key }: CredentialRef, file: string): string | undefined {
    try {
      const { size } = statSync(file);
      if (size > MAX_CREDENTIAL_BYTES) throw new Error(`it has ${size} bytes, and ${MAX_CREDENTIAL_BYTES} are allowed`);
      // A key that was written with an editor or `echo` ends in a newline, which no header may carry.
      const value = readFileSync(file, 'utf8').replace(/[\r\n]+$/, '');
      return value === '' ? undefined : value;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
        logger.warn({ err: error, secret, key }, "a provider key can't be read");
      return undefined;
    }
  }

  return {
    read(ref) {
      const name = `${ref.secret}/${ref.key}`;
      const known = remembered.get(name);
      if (known !== undefined) return known.value;
      if (!SAFE_NAME.test(ref.secret) || !SAFE_NAME.test(ref.key)) return undefined;
      const file = join(directory, ref.secret, ref.key);
      // Taken before the value: a change in between is then seen at the next check.
      const signature = fileSignature(file);
      const value = readCredential(ref, file);
      if (remembered.size < MAX_REMEMBERED_CREDENTIALS) {
        remembered.set(name, { ref, file, signature, value });
        watcher.add(join(directory, ref.secret));
      }
      return value;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: () => watcher.close(),
  };
}
