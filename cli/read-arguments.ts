import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { usageError } from './cli-error.ts';

/** `parseArgs` of Node, with errors that end in the help of the command. Every command knows `--help`. */
export function readArguments<const T extends ParseArgsOptionsConfig>(command: string, argv: readonly string[], options: T) {
  try {
    return parseArgs({
      args: [...argv],
      options: { ...options, help: { type: 'boolean', short: 'h' } } as T & { help: { type: 'boolean'; short: 'h' } },
      allowPositionals: true,
      strict: true,
    });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (!code?.startsWith('ERR_PARSE_ARGS_')) throw error;
    // Node adds how to escape a positional that begins with a dash: no command of ours takes one.
    const [first] = message.split(/\.\s/);
    throw usageError(first!.charAt(0).toLowerCase() + first!.slice(1), command);
  }
}
