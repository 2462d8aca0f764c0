import { once } from 'node:events';
import pino from 'pino';
import { Registry } from 'prom-client';
import type { ProxyReport } from '../../contract/fleet.ts';
import { createProxy } from '../../proxy/create-proxy.ts';
import { CliError, EXIT } from '../cli-error.ts';
import { formatProblem } from '../input/file-problem.ts';
import type { SourceFile } from '../input/read-resources.ts';
import type { Terminal } from '../terminal.ts';
import { followFiles } from './follow-files.ts';
import { FilesRefusedError, loadConfig, readSourceFiles } from './load-config.ts';
import { createLocalCredentials } from './local-credentials.ts';
import { createLocalStatus } from './local-status.ts';
import { createObjectHistory } from './object-history.ts';
import { portError } from './port-error.ts';
import { formatAddress, RUN_HELP, readRunOptions } from './run-options.ts';
import { serveStatus } from './status-routes.ts';
import { tellNews } from './tell-news.ts';

/** Long enough for most answers that stream; a second Ctrl-C does not wait for it. */
const DRAIN_GRACE_MS = 15_000;

/** `understudy run`: files → config → one proxy in this process, until it is interrupted. */
export async function run(argv: readonly string[], terminal: Terminal): Promise<number> {
  const options = readRunOptions(argv);
  if (options === 'help') {
    terminal.print(RUN_HELP);
    return EXIT.ok;
  }
  const logger = pino({ level: options.logLevel }, pino.destination({ dest: 2, sync: true }));
  const credentials = createLocalCredentials(terminal.env);
  const status = createLocalStatus(Date.now);
  const history = { routes: createObjectHistory(Date.now), endpoints: createObjectHistory(Date.now) };
  const refreshed = { routes: () => refresh().routes(), endpoints: () => refresh().endpoints() };
  const proxy = createProxy({
    name: 'local',
    listen: options.listen,
    admin: options.admin,
    credentials,
    logger,
    registry: new Registry(),
    adminRoutes: (app) => serveStatus(app, refreshed),
  });

  const apply = (files: readonly SourceFile[]) => {
    const loaded = loadConfig(files, options.namespace, history);
    for (const problem of loaded.warnings) terminal.tell(formatProblem(problem));
    proxy.applyConfig(loaded.config);
    credentials.replace(loaded.resources.secrets.map(({ object }) => object));
    status.replace({
      routes: loaded.resources.routes.map(({ object }) => object),
      endpoints: loaded.resources.endpoints.map(({ object }) => object),
      compiled: loaded.compiled,
    });
    return loaded;
  };

  let told: ProxyReport | undefined;
  const refresh = () => {
    const report = proxy.report();
    status.update(report);
    for (const line of tellNews(report, told)) terminal.tell(line);
    told = report;
    proxy.acknowledge(report.failovers.map(({ id }) => id));
    return status;
  };

  const interrupted = terminal.interruption();
  const files = await readSourceFiles(options.config);
  const { resources, namespace } = firstApply(() => apply(files), terminal);
  for (const note of resources.notes) terminal.tell(note);
  const addresses = await proxy.start().catch((error: unknown) => {
    throw portError(error, options);
  });
  const stopTelling = proxy.onNews(refresh);
  const following = await followFiles({ paths: options.config, current: files, apply, tell: terminal.tell, logger });
  const models = resources.routes.flatMap(({ object }) => object.spec.models);
  terminal.print(
    `understudy: ${resources.routes.length} routes of the namespace ${namespace}, for the models ${models.join(', ')}`,
  );
  terminal.print(`  applications:  http://${formatAddress(addresses.listen)}/v1`);
  terminal.print(`  status:        http://${formatAddress(addresses.admin)} (understudy get modelroutes)`);

  if (!interrupted.aborted) await once(interrupted, 'abort');
  terminal.tell('understudy: finishing what runs (Ctrl-C again ends at once)');
  following.stop();
  stopTelling();
  await proxy.drain(DRAIN_GRACE_MS);
  return EXIT.ok;
}

/** At the start there is nothing that could go on: every problem is told, and that is the end. */
function firstApply<T>(apply: () => T, terminal: Terminal): T {
  try {
    return apply();
  } catch (error) {
    if (!(error instanceof FilesRefusedError)) throw error;
    for (const problem of error.problems) terminal.tell(formatProblem(problem));
    throw new CliError('FILES_REFUSED', `${error.message} in the files, so nothing is served: mend them and start again`, {
      cause: error,
    });
  }
}
