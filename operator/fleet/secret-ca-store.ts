import type { KubeClient } from '../kube/kube-client.ts';
import { isKubeError } from '../kube/kube-error.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { RESOURCES } from '../kube/resources.ts';
import type { CaData, CaStore } from './ca-store.ts';

/** Name of the Secret in the operator's own namespace: the only Secret that the operator may read. */
export const CA_SECRET_NAME = 'understudy-ca';

interface Secret extends KubeObject {
  type?: string;
  data?: Record<string, string>;
}

export function createSecretCaStore(client: Pick<KubeClient, 'get' | 'create' | 'update'>, namespace: string): CaStore {
  const name = { namespace, name: CA_SECRET_NAME };

  function secret(data: CaData, resourceVersion?: string): Secret {
    const encoded = Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]);
    return {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { ...name, ...(resourceVersion === undefined ? {} : { resourceVersion }) },
      type: 'Opaque',
      data: Object.fromEntries(encoded),
    };
  }

  return {
    async read() {
      const found = (await client.get(RESOURCES.Secret, name)) as Secret | undefined;
      if (found === undefined) return undefined;
      const decoded = Object.entries(found.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]);
      return { data: Object.fromEntries(decoded), version: found.metadata.resourceVersion ?? '' };
    },
    create: (data) => doneOrConflict(client.create(secret(data)), 'AlreadyExists'),
    replace: (data, version) => doneOrConflict(client.update(secret(data, version)), 'Conflict'),
  };
}

async function doneOrConflict(write: Promise<unknown>, conflict: 'AlreadyExists' | 'Conflict'): Promise<'Done' | 'Conflict'> {
  try {
    await write;
    return 'Done';
  } catch (error) {
    if (isKubeError(error, conflict)) return 'Conflict';
    throw error;
  }
}
