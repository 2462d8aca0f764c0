import { parseArgs } from 'node:util';
import { parseDuration } from '../crds/duration.ts';
import type { ProxySettings } from './workload/proxy-settings.ts';

export interface OperatorSettings {
  /** Namespace of the operator: its Lease, its CA and its Service are there. */
  namespace: string;
  kubeconfig: string | undefined;
  context: string | undefined;
  /** Unique among the operator's replicas. */
  identity: string;
  /** Name of the pod that this runs in; absent outside of a cluster. */
  pod: string | undefined;
  fleet: { host: string; port: number };
  /** Names and addresses that the fleet certificate is for, besides those of the Service. */
  fleetHosts: string[];
  service: string;
  admin: { host: string; port: number };
  resyncIntervalMs: number;
  logLevel: string;
  proxy: ProxySettings;
}

/** What a command line lacks or has too much of. */
export class SettingsError extends Error {
  readonly code = 'OPERATOR_SETTINGS';
  constructor(message: string) {
    super(`${message}; "understudy operator --help" lists the settings`);
    this.name = 'SettingsError';
  }
}

interface Flag {
  default?: string;
  /** Environment variable that is read when the flag is not given. Default: UNDERSTUDY_ and the flag's name. */
  env?: string;
  help: string;
}

const FLAGS = {
  namespace: { default: 'understudy-system', env: 'POD_NAMESPACE', help: 'namespace of the operator itself' },
  kubeconfig: { help: 'path of a kubeconfig; else the ServiceAccount of the pod, $KUBECONFIG, ~/.kube/config' },
  context: { help: 'context of the kubeconfig' },
  identity: { default: `understudy-operator-${process.pid}`, env: 'POD_NAME', help: 'name of this replica in the Lease' },
  pod: { env: 'POD_NAME', help: 'pod that this runs in, which is labelled while it leads' },
  fleet: { default: ':9443', help: 'address on which proxies reach this operator, TLS' },
  'fleet-hosts': { default: '', help: 'further names or addresses in the certificate of that, separated by commas' },
  service: { default: 'understudy-operator', help: 'Service of that address' },
  'operator-url': { help: 'where proxies reach the operator; default: https://<service>.<namespace>.svc:9443' },
  admin: { default: ':8081', help: 'address of /healthz, /readyz and /metrics' },
  'resync-interval': { default: '10m', help: 'how often everything is looked at again, changed or not' },
  'log-level': { default: 'info', help: 'trace, debug, info, warn, error' },
  'proxy-image': { help: 'image of the proxies: that of the operator' },
  'proxy-image-pull-policy': { default: 'IfNotPresent', help: 'Always, IfNotPresent, Never' },
  'proxy-image-pull-secrets': { default: '', help: 'names of Secrets in the namespaces of the proxies, separated by commas' },
  'proxy-replicas': { default: '2', help: 'proxies in each namespace that has a ModelRoute' },
  'proxy-cpu-request': { default: '100m', help: 'as Kubernetes writes it: 1, not 1000m' },
  'proxy-memory-request': { default: '128Mi', help: 'see above' },
  'proxy-cpu-limit': { default: '', help: 'empty: none, since a throttled proxy is a slow one' },
  'proxy-memory-limit': { default: '512Mi', help: 'empty: none' },
  'proxy-log-level': { default: 'info', help: 'trace, debug, info, warn, error' },
} as const satisfies Record<string, Flag>;
type FlagName = keyof typeof FLAGS;

export const HELP = `The operator: keeps the proxies of a cluster in step with its ModelRoutes and ProviderEndpoints.

Usage: understudy operator --proxy-image IMAGE [SETTINGS]

Each setting is a flag, or the environment variable beside it. UNDERSTUDY_BIND_HOST is the host for addresses that name none.

${Object.entries(FLAGS as Record<string, Flag>)
  .map(
    ([name, flag]) =>
      `  --${name.padEnd(26)}${flag.env ?? variable(name)}\n      ${flag.help}${flag.default ? ` (${flag.default})` : ''}`,
  )
  .join('\n')}`;

function variable(name: string): string {
  return `UNDERSTUDY_${name.toUpperCase().replaceAll('-', '_')}`;
}

/** Reads flags, else environment, else defaults. `undefined` when help is asked for. Throws `SettingsError`. */
export function readSettings(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): OperatorSettings | undefined {
  const given = readFlags(argv);
  if (given.help) return undefined;
  const optional = (name: FlagName): string | undefined => {
    const flag: Flag = FLAGS[name];
    return given[name] ?? env[flag.env ?? variable(name)] ?? flag.default;
  };
  const required = (name: FlagName): string => {
    const value = optional(name);
    if (!value) throw new SettingsError(`--${name} is needed`);
    return value;
  };
  const namespace = required('namespace');
  const service = required('service');
  const host = env.UNDERSTUDY_BIND_HOST || EVERY_ADDRESS;
  return {
    namespace,
    kubeconfig: optional('kubeconfig'),
    context: optional('context'),
    identity: required('identity'),
    pod: optional('pod'),
    fleet: address(required('fleet'), 'fleet', host),
    fleetHosts: list(optional('fleet-hosts')),
    service,
    admin: address(required('admin'), 'admin', host),
    resyncIntervalMs: interval(required('resync-interval'), 'resync-interval'),
    logLevel: oneOf(required('log-level'), 'log-level', LOG_LEVELS),
    proxy: {
      image: required('proxy-image'),
      imagePullPolicy: oneOf(required('proxy-image-pull-policy'), 'proxy-image-pull-policy', PULL_POLICIES),
      imagePullSecrets: list(optional('proxy-image-pull-secrets')),
      replicas: count(required('proxy-replicas'), 'proxy-replicas'),
      resources: {
        requests: quantities({ cpu: optional('proxy-cpu-request'), memory: optional('proxy-memory-request') }),
        limits: quantities({ cpu: optional('proxy-cpu-limit'), memory: optional('proxy-memory-limit') }),
      },
      operatorURL: optional('operator-url') ?? `https://${service}.${namespace}.svc:${DEFAULT_FLEET_PORT}`,
      logLevel: oneOf(required('proxy-log-level'), 'proxy-log-level', LOG_LEVELS),
    },
  };
}

/** Port of the Service, whatever the container listens on. */
const DEFAULT_FLEET_PORT = 9443;
const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const;
const PULL_POLICIES = ['Always', 'IfNotPresent', 'Never'] as const;
/** A resync reads nothing from the API server, but computes all statuses anew. */
const MIN_RESYNC_MS = 1_000;

function readFlags(argv: readonly string[]): Partial<Record<FlagName, string>> & { help?: boolean } {
  const options = Object.fromEntries(Object.keys(FLAGS).map((name) => [name, { type: 'string' as const }]));
  try {
    return parseArgs({ args: [...argv], options: { ...options, help: { type: 'boolean', short: 'h' } }, strict: true }).values;
  } catch (error) {
    throw new SettingsError(error instanceof Error ? error.message : String(error));
  }
}

/** Of both families. */
const EVERY_ADDRESS = '::';

/** `:9443`, `127.0.0.1:9443`, `[::1]:9443`. */
function address(text: string, flag: string, defaultHost: string): { host: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65_535) throw new SettingsError(`--${flag} must be [HOST]:PORT, such as :9443, not "${text}"`);
  return { host: match[1] ?? (match[2] || defaultHost), port };
}

function interval(text: string, flag: string): number {
  try {
    const milliseconds = parseDuration(text);
    if (milliseconds >= MIN_RESYNC_MS) return milliseconds;
  } catch (error) {
    throw new SettingsError(`--${flag}: ${error instanceof Error ? error.message : error}`);
  }
  throw new SettingsError(`--${flag} must be 1s or longer`);
}

function count(text: string, flag: string): number {
  if (!/^[1-9]\d{0,2}$/.test(text)) throw new SettingsError(`--${flag} must be a number from 1 to 999, not "${text}"`);
  return Number(text);
}

function oneOf<const T extends readonly string[]>(text: string, flag: string, allowed: T): T[number] {
  if (!allowed.includes(text)) throw new SettingsError(`--${flag} must be one of ${allowed.join(', ')}, not "${text}"`);
  return text;
}

function list(text: string | undefined): string[] {
  return (text ?? '').split(',').filter((part) => part !== '');
}

function quantities(given: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(Object.entries(given).filter((entry): entry is [string, string] => Boolean(entry[1])));
}
