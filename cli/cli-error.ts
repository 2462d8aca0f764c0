/** What a command ends with: 1 when what was asked is refused or failed, 2 when the command line itself makes no sense. */
export const EXIT = { ok: 0, failed: 1, usage: 2 } as const;

/** Something that ends a command, told in one line: what is wrong, and the way out. */
export class CliError extends Error {
  readonly code: string;
  readonly exitCode: 1 | 2;

  constructor(code: string, message: string, options: { exitCode?: 1 | 2; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.name = 'CliError';
    this.code = code;
    this.exitCode = options.exitCode ?? EXIT.failed;
  }
}

/** A command line that can't be read, with the help that would have told. */
export function usageError(message: string, command?: string): CliError {
  return new CliError('USAGE', `${message}; see "understudy ${command === undefined ? '' : `${command} `}--help"`, {
    exitCode: EXIT.usage,
  });
}
