import type { CredentialRef, RuntimeConfig } from '../../contract/runtime-config.ts';
import type { CredentialSource } from '../../proxy/proxy.ts';
import type { LocalSecret } from '../input/read-secret.ts';

/** The variable that stands for a key of a Secret which no file has: `UNDERSTUDY_SECRET_OPENAI_EU_APIKEY` for `apiKey` of `openai-eu`. */
export function secretVariable({ secret, key }: CredentialRef): string {
  return `UNDERSTUDY_SECRET_${`${secret}_${key}`.toUpperCase().replace(/[^A-Z0-9]/g, '_')}`;
}

export interface LocalCredentials extends CredentialSource {
  /** Takes the Secrets of newly read files, and tells when a key has changed. */
  replace(secrets: readonly LocalSecret[]): void;
}

/** Provider keys from the Secrets of the files; a key that they lack comes from the environment. */
export function createLocalCredentials(env: Readonly<Record<string, string | undefined>>): LocalCredentials {
  let current = new Map<string, ReadonlyMap<string, string>>();
  const listeners = new Set<() => void>();
  return {
    read: (ref) => {
      // As with a mounted Secret, the line end that an editor or `echo` has added is none of the key.
      const value = (current.get(ref.secret)?.get(ref.key) ?? env[secretVariable(ref)])?.replace(/[\r\n]+$/, '');
      return value === '' ? undefined : value;
    },
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    replace: (secrets) => {
      const next = new Map(secrets.map(({ name, values }) => [name, values]));
      const changed = !sameSecrets(current, next);
      current = next;
      if (changed) for (const listener of listeners) listener();
    },
  };
}

/** The keys that a config asks for and that are not there. The endpoints of them are used all the same, and fail as they would in a cluster. */
export function missingKeys(
  { endpoints }: Pick<RuntimeConfig, 'endpoints'>,
  { read }: Pick<CredentialSource, 'read'>,
): CredentialRef[] {
  return endpoints.flatMap(({ credential }) => (credential !== undefined && read(credential) === undefined ? [credential] : []));
}

/**
 * The variable that two keys would be read from, if there is one. Names of Secrets hold more kinds of characters than names of variables: `c` of `a-b`
 * and `b-c` of `a` have one variable. Whoever sets it can't mean both, and one provider would be shown the key of the other.
 */
export function ambiguousVariable(
  { endpoints }: Pick<RuntimeConfig, 'endpoints'>,
  secrets: readonly LocalSecret[],
): string | undefined {
  const ofNoFile = endpoints.flatMap(({ credential }) =>
    credential === undefined || secrets.some(({ name, values }) => name === credential.secret && values.has(credential.key))
      ? []
      : [credential],
  );
  const byVariable = Map.groupBy(ofNoFile, secretVariable);
  return [...byVariable].find(([, refs]) => new Set(refs.map(({ secret, key }) => `${secret}/${key}`)).size > 1)?.[0];
}

function sameSecrets(a: ReadonlyMap<string, ReadonlyMap<string, string>>, b: typeof a): boolean {
  const flat = (secrets: typeof a) =>
    JSON.stringify(
      [...secrets].map(([name, values]) => [name, [...values].sort()]).sort(([x], [y]) => ((x ?? '') < (y ?? '') ? -1 : 1)),
    );
  return flat(a) === flat(b);
}
