import { once } from 'node:events';
import { EXIT } from '../cli-error.ts';
import type { Terminal } from '../terminal.ts';
import { formatAddress, RUN_HELP, readRunOptions } from './run-options.ts';
import { serve } from './serve.ts';

/** `understudy run`: serves what the files say until it is interrupted. */
export async function run(argv: readonly string[], terminal: Terminal): Promise<number> {
  const options = readRunOptions(argv);
  if (options === 'help') {
    terminal.print(RUN_HELP);
    return EXIT.ok;
  }
  const interrupted = terminal.interruption();
  const { listen, admin, loaded, stop } = await serve(options, terminal);
  const models = loaded.resources.routes.flatMap(({ object }) => object.spec.models);
  terminal.print(`understudy: serving the namespace ${loaded.namespace}, models ${[...new Set(models)].join(', ')}`);
  terminal.print(`  base URL for applications:  http://${formatAddress(listen)}/v1`);
  terminal.print(`  status, health, metrics:    http://${formatAddress(admin)} ("understudy get modelroutes" shows it)`);

  if (!interrupted.aborted) await once(interrupted, 'abort');
  terminal.tell('understudy: finishing what runs; Ctrl-C again ends at once');
  await stop();
  return EXIT.ok;
}
