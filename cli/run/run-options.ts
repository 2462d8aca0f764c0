import type { Address } from '../../proxy/proxy.ts';
import { usageError } from '../cli-error.ts';
import { readArguments } from '../read-arguments.ts';

export const DEFAULT_LISTEN = '127.0.0.1:8080';
export const DEFAULT_ADMIN = '127.0.0.1:9090';
/** What happens to routes and targets is told in plain lines already. */
const DEFAULT_LOG_LEVEL = 'error';
const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;

export const RUN_HELP = `Serve ModelRoutes from YAML files on this machine. No cluster is needed; the YAML is the same.

Usage: understudy run --config DIR|FILE... [--listen ${DEFAULT_LISTEN}] [--admin ${DEFAULT_ADMIN}]

  -c, --config PATH     a file, or a directory whose .yaml, .yml and .json files are read; may be given more than once,
                        and further paths may follow it. ModelRoutes, ProviderEndpoints and Secrets are read, other
                        kinds of Kubernetes are left aside. Changes are taken while it runs; files that are wrong are
                        refused with file, line and field, and what was served before goes on.
      --listen ADDRESS  where applications call, by default ${DEFAULT_LISTEN} (port 0: any free one)
      --admin ADDRESS   status for "understudy get", /healthz, /readyz and /metrics, by default ${DEFAULT_ADMIN}
  -n, --namespace NAME  which namespace to serve, when the files name several; what names none belongs to it
      --log-level LEVEL ${LOG_LEVELS.join(', ')}; by default ${DEFAULT_LOG_LEVEL}. Logs go to standard error, one JSON object a line

A provider key is read from the Secret that its endpoint names. A Secret, or key of it, that no file has is read from the environment:

  UNDERSTUDY_SECRET_<NAME>_<KEY>   in upper case, with _ for every character that is neither letter nor digit:
                                   UNDERSTUDY_SECRET_OPENAI_APIKEY is "apiKey" of the Secret "openai"

Examples:
  understudy run --config routes.yaml
  UNDERSTUDY_SECRET_OPENAI_APIKEY=$OPENAI_API_KEY understudy run --config ./routes --listen 127.0.0.1:4000

Applications then use http://${DEFAULT_LISTEN}/v1 as the base URL of their OpenAI SDK.
Ctrl-C finishes what runs and ends; a second one ends at once.`;

export interface RunOptions {
  config: string[];
  listen: Address;
  admin: Address;
  namespace?: string;
  logLevel: (typeof LOG_LEVELS)[number];
}

export function readRunOptions(argv: readonly string[]): RunOptions | 'help' {
  const { values, positionals } = readArguments('run', argv, {
    config: { type: 'string', short: 'c', multiple: true },
    listen: { type: 'string', default: DEFAULT_LISTEN },
    admin: { type: 'string', default: DEFAULT_ADMIN },
    namespace: { type: 'string', short: 'n' },
    'log-level': { type: 'string', default: DEFAULT_LOG_LEVEL },
  });
  if (values.help) return 'help';
  if (values.config === undefined) {
    throw usageError('name the files to serve, for example --config manifests/samples', 'run');
  }
  const logLevel = LOG_LEVELS.find((level) => level === values['log-level']);
  if (logLevel === undefined)
    throw usageError(`--log-level is one of ${LOG_LEVELS.join(', ')}, not "${values['log-level']}"`, 'run');
  return {
    config: [...values.config, ...positionals],
    listen: readAddress('--listen', values.listen),
    admin: readAddress('--admin', values.admin),
    ...(values.namespace === undefined ? {} : { namespace: values.namespace }),
    logLevel,
  };
}

/** `host:port`, `[::1]:port`, `:port` (every interface) or a port alone (this machine only). */
export function readAddress(option: string, text: string): Address {
  const match = /^(?:(?<host>\[[0-9a-fA-F:.]+\]|[^:[\]]*):)?(?<port>\d{1,5})$/.exec(text);
  const port = Number(match?.groups?.port);
  if (match === null || port > 65_535)
    throw usageError(`${option} takes host:port, for example ${DEFAULT_LISTEN}, not "${text}"`, 'run');
  const host = match.groups?.host;
  return { host: host === undefined ? '127.0.0.1' : host === '' ? '0.0.0.0' : host.replace(/^\[|\]$/g, ''), port };
}

export function formatAddress({ host, port }: Address): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
