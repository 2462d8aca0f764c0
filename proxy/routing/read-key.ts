import type { CredentialSource } from '../proxy.ts';
import type { ServingTarget } from './serving-config.ts';

/** The Secret of an endpoint, or its key, is not there. */
export const MISSING_KEY = Symbol('missing key');

/** The key for an attempt; `undefined` for an endpoint that needs none. */
export function readKey(credentials: CredentialSource, target: ServingTarget): string | undefined | typeof MISSING_KEY {
  if (target.credential === undefined) return undefined;
  const key = credentials.read(target.credential);
  if (key !== undefined) return key;
  return (target.formerCredential && credentials.read(target.formerCredential)) ?? MISSING_KEY;
}
