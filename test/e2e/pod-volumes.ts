import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { swapVolume } from '../fleet/swap-volume.ts';
import type { ClusterApi } from './cluster-api.ts';
import { type KeySource, type Pod, type ProjectedSource, readField, type Volume } from './pod.ts';

/** A kubelet renews a token at 80 % of its lifetime. */
const RENEW_AT = 0.8;
const DEFAULT_TOKEN_SECONDS = 3_600;

/** The volumes of one pod, as directories. */
export interface PodVolumes {
  /** Directory of a volume. */
  directory(volume: string): string;
  /** Writes what is new since the last time. Throws when something that is not optional is missing: the pod then has to wait. */
  refresh(): Promise<void>;
}

interface Token {
  token: string;
  renewAt: number;
}

export function createPodVolumes(api: ClusterApi, pod: Pod, directory: string): PodVolumes {
  const written = new Map<string, string>();
  const tokens = new Map<string, Token>();
  const { namespace } = pod.metadata;
  const at = (volume: string) => join(directory, volume);

  async function filesOf(volume: Volume): Promise<Record<string, Buffer> | undefined> {
    if (volume.emptyDir) return undefined;
    if (volume.configMap) return keys('ConfigMap', volume.configMap);
    if (volume.secret) return keys('Secret', { ...volume.secret, name: volume.secret.secretName ?? '' });
    if (volume.projected) {
      const parts: Record<string, Buffer>[] = [];
      for (const source of volume.projected.sources ?? []) parts.push(await project(volume.name, source));
      return Object.assign({}, ...parts);
    }
    throw new Error(`volume ${volume.name} is of a kind that this node does not have`);
  }

  async function project(volume: string, source: ProjectedSource): Promise<Record<string, Buffer>> {
    if (source.configMap) return keys('ConfigMap', source.configMap);
    if (source.secret) return keys('Secret', source.secret);
    if (source.serviceAccountToken) {
      const { audience, expirationSeconds = DEFAULT_TOKEN_SECONDS, path } = source.serviceAccountToken;
      return { [path]: Buffer.from(await token(`${volume}/${path}`, audience, expirationSeconds)) };
    }
    if (source.downwardAPI) {
      const items = source.downwardAPI.items ?? [];
      return Object.fromEntries(
        items.map(({ path, fieldRef }) => [path, Buffer.from(readField(pod, fieldRef?.fieldPath ?? ''))]),
      );
    }
    throw new Error(`volume ${volume} projects something that this node does not have`);
  }

  async function keys(kind: 'Secret' | 'ConfigMap', { name = '', items, optional }: KeySource): Promise<Record<string, Buffer>> {
    const data = await (kind === 'Secret' ? api.secret(namespace, name) : api.configMap(namespace, name));
    if (!data) {
      if (optional) return {};
      throw new Error(`${kind} ${namespace}/${name} does not exist`);
    }
    if (!items) return data;
    return Object.fromEntries(
      items.flatMap(({ key, path }) => {
        const value = data[key];
        if (value !== undefined) return [[path, value]];
        if (optional) return [];
        throw new Error(`${kind} ${namespace}/${name} has no key ${key}`);
      }),
    );
  }

  async function token(name: string, audience: string | undefined, expirationSeconds: number): Promise<string> {
    const known = tokens.get(name);
    if (known && Date.now() < known.renewAt) return known.token;
    const fresh = await api.token(pod, audience, expirationSeconds);
    tokens.set(name, { token: fresh.token, renewAt: Date.now() + (fresh.expiresAt - Date.now()) * RENEW_AT });
    return fresh.token;
  }

  return {
    directory: at,
    async refresh() {
      for (const volume of pod.spec.volumes ?? []) {
        const files = await filesOf(volume);
        mkdirSync(at(volume.name), { recursive: true });
        if (!files) continue;
        const signature = signatureOf(files);
        if (written.get(volume.name) === signature) continue;
        swapVolume(at(volume.name), files);
        written.set(volume.name, signature);
      }
    },
  };
}

function signatureOf(files: Readonly<Record<string, Buffer>>): string {
  const hash = createHash('sha256');
  for (const [path, content] of Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(`${path}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}
