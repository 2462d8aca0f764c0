import type { Readable } from 'node:stream';

/** What a command has of the world around its process, so that it can be called in another way than from a shell. */
export interface Terminal {
  stdin: Readable;
  /** One line of what was asked for. */
  print(line: string): void;
  /** One line about it: notes, warnings, errors. */
  tell(line: string): void;
  env: Readonly<Record<string, string | undefined>>;
  /** Aborted when the user has had enough (Ctrl-C, SIGTERM). Asking for it takes the signals over. */
  interruption(): AbortSignal;
}
