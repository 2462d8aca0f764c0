import { parseArgs } from 'node:util';
import { parseDuration } from '../contract/runtime-config.ts';
import type { Address } from './proxy.ts';

export const PROXY_HELP = `understudy proxy: the proxy of one namespace, as the operator starts it in a pod.

Usage: understudy proxy --operator URL --operator-ca FILE --token FILE --config FILE --credentials DIR [options]

  --listen HOST:PORT       where applications call it (default :8080; without a host, every address)
  --admin HOST:PORT        health, readiness and metrics (default :9091)
  --operator URL           the operator's fleet channel
  --operator-ca FILE       certificates that the operator's is checked by
  --token FILE             ServiceAccount token that is shown to the operator; read again when it rotates
  --config FILE            last known good config (gzipped JSON), to boot from while the operator is away
  --credentials DIR        provider keys, as DIR/<secret>/<key>; read again when they rotate
  --drain DURATION         how long running requests may take after SIGTERM (default 30s)
  --log-level LEVEL        debug, info, warn or error (default info)

Environment:
  POD_NAME, POD_NAMESPACE  what this proxy is called, and whom it serves
  UNDERSTUDY_BIND_HOST     host for addresses that name none
`;

export interface ProxyFlags {
  name: string;
  namespace: string;
  listen: Address;
  admin: Address;
  operator: string;
  operatorCa: string;
  token: string;
  config: string;
  credentials: string;
  drainMs: number;
  logLevel: string;
}

/** Reads the command line. Throws an `Error` with one line that says what to do. */
export function readProxyFlags(argv: readonly string[], env: NodeJS.ProcessEnv): ProxyFlags | 'help' {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      help: { type: 'boolean', short: 'h', default: false },
      listen: { type: 'string', default: ':8080' },
      admin: { type: 'string', default: ':9091' },
      operator: { type: 'string' },
      'operator-ca': { type: 'string' },
      token: { type: 'string' },
      config: { type: 'string' },
      credentials: { type: 'string' },
      drain: { type: 'string', default: '30s' },
      'log-level': { type: 'string', default: 'info' },
    },
  });
  if (values.help) return 'help';
  const required = (name: 'operator' | 'operator-ca' | 'token' | 'config' | 'credentials'): string => {
    const value = values[name];
    if (value === undefined || value === '') throw new Error(`--${name} is missing; see understudy proxy --help`);
    return value;
  };
  const host = env.UNDERSTUDY_BIND_HOST ?? '';
  return {
    name: env.POD_NAME ?? 'local',
    namespace: env.POD_NAMESPACE ?? 'default',
    listen: readAddress('--listen', values.listen, host),
    admin: readAddress('--admin', values.admin, host),
    operator: required('operator'),
    operatorCa: required('operator-ca'),
    token: required('token'),
    config: required('config'),
    credentials: required('credentials'),
    drainMs: parseDuration(values.drain),
    logLevel: values['log-level'],
  };
}

function readAddress(flag: string, text: string, defaultHost: string): Address {
  const colon = text.lastIndexOf(':');
  const port = Number(text.slice(colon + 1));
  if (colon < 0 || !Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new Error(`${flag} ${text}: write HOST:PORT or :PORT, for example :8080`);
  }
  return { host: text.slice(0, colon).replace(/^\[|\]$/g, '') || defaultHost, port };
}
