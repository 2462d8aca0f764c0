import pino from 'pino';
import { Registry } from 'prom-client';
import type { ProxyReport } from '../../contract/fleet.ts';
import { createProxy } from '../../proxy/create-proxy.ts';
import type { Address } from '../../proxy/proxy.ts';
import { CliError } from '../cli-error.ts';
import { formatProblem } from '../input/file-problem.ts';
import type { SourceFile } from '../input/read-source-file.ts';
import type { Terminal } from '../terminal.ts';
import { followFiles } from './follow-files.ts';
import { FilesRefusedError, type LoadedConfig, loadConfig, readSourceFiles } from './load-config.ts';
import { ambiguousVariable, createLocalCredentials, missingKeys, secretVariable } from './local-credentials.ts';
import { createLocalStatus } from './local-status.ts';
import { createObjectHistory } from './object-history.ts';
import { portError } from './port-error.ts';
import type { RunOptions } from './run-options.ts';
import { serveStatus } from './status-routes.ts';
import { tellNews } from './tell-news.ts';

/** Long enough for most answers that stream; a second Ctrl-C does not wait for it. */
const DRAIN_GRACE_MS = 15_000;

/** What is being served, and how to end it. */
export interface Serving {
  listen: Address;
  admin: Address;
  loaded: LoadedConfig;
  /** Finishes what runs, then leaves nothing behind. */
  stop(): Promise<void>;
}

/** Files → config → one proxy in this process, with status, and every later change of the files. News go to `terminal.tell`. */
export async function serve(options: RunOptions, terminal: Pick<Terminal, 'tell' | 'env'>): Promise<Serving> {
  const files = await readSourceFiles(options.config);
  const logger = pino({ level: options.logLevel }, pino.destination({ dest: 2, sync: true }));
  const credentials = createLocalCredentials(terminal.env);
  const status = createLocalStatus(Date.now);
  const history = { routes: createObjectHistory(Date.now), endpoints: createObjectHistory(Date.now) };
  const proxy = createProxy({
    name: 'local',
    listen: options.listen,
    admin: options.admin,
    credentials,
    logger,
    registry: new Registry(),
    adminRoutes: (app) => serveStatus(app, () => refresh()),
  });

  const apply = (changed: readonly SourceFile[]) => {
    const loaded = loadConfig(changed, options.namespace, history);
    const secrets = loaded.resources.secrets.map(({ object }) => object);
    const ambiguous = ambiguousVariable(loaded.config, secrets);
    if (ambiguous !== undefined && terminal.env[ambiguous] !== undefined) {
      throw new CliError('AMBIGUOUS_KEY', `${ambiguous} stands for the keys of several Secrets: put these into a file`);
    }
    for (const problem of loaded.warnings) terminal.tell(formatProblem(problem));
    proxy.applyConfig(loaded.config);
    credentials.replace(secrets);
    for (const ref of missingKeys(loaded.config, credentials)) {
      terminal.tell(`key ${ref.key} of Secret ${ref.secret} is in no file: add the Secret, or set ${secretVariable(ref)}`);
    }
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

  try {
    const loaded = firstApply(() => apply(files), terminal);
    for (const note of loaded.resources.notes) terminal.tell(note);
    const addresses = await proxy.start().catch((error: unknown) => {
      throw portError(error, options);
    });
    refresh();
    const stopTelling = proxy.onNews(refresh);
    const following = await followFiles({ paths: options.config, current: files, apply, tell: terminal.tell, logger });
    return {
      ...addresses,
      loaded,
      stop: async () => {
        following.stop();
        stopTelling();
        await proxy.drain(DRAIN_GRACE_MS);
      },
    };
  } catch (error) {
    await proxy.drain(0);
    throw error;
  }
}

/** At the start there is nothing that could go on: every problem is told, and that is the end. */
function firstApply<T>(apply: () => T, { tell }: Pick<Terminal, 'tell'>): T {
  try {
    return apply();
  } catch (error) {
    if (!(error instanceof FilesRefusedError)) throw error;
    for (const problem of error.problems) tell(formatProblem(problem));
    throw new CliError('FILES_REFUSED', `${error.message} in the files, so nothing is served: mend them and start again`, {
      cause: error,
    });
  }
}
