/**
 * `make run`: a simulated provider behind every ProviderEndpoint of the samples, and `understudy run` over them, in one process, so that
 * Ctrl-C, or any other end of it, leaves nothing behind.
 */
import { once } from 'node:events';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { CliError } from '../../cli/cli-error.ts';
import { formatProblem } from '../../cli/input/file-problem.ts';
import { readResources } from '../../cli/input/read-resources.ts';
import { processTerminal } from '../../cli/process-terminal.ts';
import { readSourceFiles } from '../../cli/run/load-config.ts';
import { DEFAULT_ADMIN, formatAddress, readRunOptions } from '../../cli/run/run-options.ts';
import { serve } from '../../cli/run/serve.ts';
import type { ProviderEndpoint } from '../../crds/provider-endpoint.ts';
import { createLab } from './lab.ts';
import { createLabControl } from './lab-control.ts';

const SAMPLES = 'manifests/samples';
/** Each provider is broken and mended at a port this far above its own. */
const CONTROL_OFFSET = 1_000;

const { values } = parseArgs({
  options: {
    listen: { type: 'string' },
    admin: { type: 'string' },
    samples: { type: 'string', default: SAMPLES },
  },
});

const terminal = processTerminal();
const interrupted = terminal.interruption();
/** What has been started, newest last: all of it is ended, however this ends. */
const running: { stop(): Promise<unknown> }[] = [];

try {
  const files = await readSourceFiles([values.samples]);
  const { endpoints, problems } = readResources(files);
  if (problems[0] !== undefined) throw new CliError('FILES_REFUSED', formatProblem(problems[0]));
  const providers = [];
  for (const { object } of endpoints) providers.push(await simulate(object));

  const options = readRunOptions([
    ...['--config', values.samples],
    ...(values.listen === undefined ? [] : ['--listen', values.listen]),
    ...(values.admin === undefined ? [] : ['--admin', values.admin]),
  ]);
  if (options === 'help') throw new TypeError('nobody asked for help');
  const serving = await serve(options, terminal);
  running.push(serving);
  for (const line of instructions(serving, providers)) terminal.print(line);
  if (!interrupted.aborted) await once(interrupted, 'abort');
} catch (error) {
  if (!(error instanceof CliError)) throw error;
  terminal.tell(`understudy: ${error.message}`);
  process.exitCode = error.exitCode;
} finally {
  for (const each of running.reverse()) await each.stop();
}

interface Provider {
  name: string;
  baseURL: string;
  control: string;
}

/** Plays the provider of an endpoint, at the port of its first region. */
async function simulate({ metadata: { name }, spec }: ProviderEndpoint): Promise<Provider> {
  const port = Number(new URL(spec.regions[0]!.baseURL).port);
  const lab = createLab({ name });
  const control = createLabControl(lab);
  const begin = async <T>(wanted: number, start: () => Promise<T>) => {
    try {
      return await start();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
      throw new CliError(
        'PORT_IN_USE',
        `127.0.0.1:${wanted} is in use by another program, and the simulated provider "${name}" needs it: ` +
          `end that one, or change the baseURL of "${name}" in ${values.samples}`,
        { cause: error },
      );
    }
  };
  const { baseURL } = await begin(port, () => lab.start(port));
  running.push(lab);
  const controlURL = await begin(port + CONTROL_OFFSET, () => control.start(port + CONTROL_OFFSET));
  running.push(control);
  return { name, baseURL, control: controlURL };
}

function instructions({ listen, admin, loaded }: Awaited<ReturnType<typeof serve>>, providers: readonly Provider[]): string[] {
  const address = `http://${formatAddress(listen)}`;
  const [{ object: route }] = loaded.resources.routes as [(typeof loaded.resources.routes)[number]];
  const primary = providers.find(({ name }) => name === route.spec.chain[0]!.endpoint)!;
  const request = JSON.stringify({ model: route.spec.models[0], messages: [{ role: 'user', content: 'Who is on stage?' }] });
  const where = formatAddress(admin) === DEFAULT_ADMIN ? '' : ` --admin http://${formatAddress(admin)}`;
  return [
    `Understudy answers at ${address}/v1, with simulated providers behind it: ${providers.map(({ name, baseURL }) => `${name} (${baseURL})`).join(', ')}`,
    '',
    'In another terminal, ask it; the header x-understudy-target says who answered:',
    `  curl -si ${address}/v1/chat/completions -H 'content-type: application/json' -d '${request}'`,
    `Break the provider "${primary.name}" (other ways to break it: curl -s ${primary.control}/lab/faults), and ask again:`,
    `  curl -s -X PUT ${primary.control}/lab/fault/hang`,
    'See who answers now, why, and since when (-w goes on):',
    `  npx understudy get modelroutes${where}`,
    'Mend it:',
    `  curl -s -X DELETE ${primary.control}/lab/fault`,
    '',
    'Ctrl-C ends everything.',
  ];
}
