/**
 * Loaded into every process of a pod (`node --import`), since a process has no resolver of its own as a container has: names of Services
 * are looked up in the file that `CLUSTER_DNS_HOSTS` names. All other names go the usual way.
 */
import dns from 'node:dns';
import { readFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import process from 'node:process';

const HOSTS = process.env.CLUSTER_DNS_HOSTS;
const SERVICE_NAME = /\.svc(\.cluster\.local)?\.?$/;

type Callback = (error: NodeJS.ErrnoException | null, address?: string | dns.LookupAddress[], family?: number) => void;

const usual = dns.lookup as unknown as (host: string, options: unknown, callback: Callback) => void;

function lookup(host: string, given: unknown, last?: Callback): void {
  const [options, callback] = typeof given === 'function' ? [{}, given as Callback] : [given, last as Callback];
  if (HOSTS === undefined || !SERVICE_NAME.test(host)) return usual(host, options, callback);
  process.nextTick(() => {
    const addresses = find(HOSTS, host.replace(/\.?$/, '').replace(/\.cluster\.local$/, ''));
    const [first] = addresses;
    if (first === undefined) {
      return callback(Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { code: 'ENOTFOUND', hostname: host }));
    }
    if ((options as dns.LookupOptions | null)?.all)
      return callback(
        null,
        addresses.map((address) => ({ address, family: 4 })),
      );
    callback(null, first, 4);
  });
}

/** Lines are an address and a name, read anew each time: Services come and go. */
function find(file: string, name: string): string[] {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.map((line) => line.split(' ')).flatMap(([address, of]) => (of === name && address ? [address] : []));
}

dns.lookup = lookup as unknown as typeof dns.lookup;
syncBuiltinESMExports();
