#!/usr/bin/env node
import process from 'node:process';
import { CliError, EXIT, usageError } from './cli-error.ts';
import { COMMANDS } from './commands.ts';
import { processTerminal } from './process-terminal.ts';

const HELP = `Understudy keeps AI applications answering when a model provider fails or degrades.

Usage: understudy COMMAND [ARGUMENTS]

Commands:
${COMMANDS.map(({ name, summary }) => `  ${name.padEnd(10)}${summary}`).join('\n')}

"understudy COMMAND --help" tells more about one of them.

Try it without a cluster and without a key (in a checkout):
  make run                               two simulated providers and a route over them
  understudy validate -f manifests/samples
  understudy get modelroutes -w`;

/** Reads the command line, calls the command, and tells an error in one line. Resolves with the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  const terminal = processTerminal();
  const [name, ...rest] = argv;
  try {
    if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
      terminal.print(HELP);
      return name === undefined ? EXIT.usage : EXIT.ok;
    }
    const command = COMMANDS.find((candidate) => candidate.name === name.replace(/^--(?=version$)/, ''));
    if (command === undefined) throw usageError(`there is no command "${name}"`);
    return await command.call(rest, terminal);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    terminal.tell(`understudy: ${error.message}`);
    return error.exitCode;
  }
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
