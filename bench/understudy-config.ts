import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { dump } from 'js-yaml';

/**
 * The YAML that Understudy is measured with: as one would write it, with a key, a fallback and probes, and nothing tuned for speed.
 * Traffic makes the probes of the first target superfluous; the fallback is never asked.
 */
export async function writeUnderstudyConfig(cacheDirectory: string, upstreamPort: number): Promise<string> {
  const namespace = 'bench';
  const endpoint = (name: string) => ({
    apiVersion: 'understudy.dev/v1alpha1',
    kind: 'ProviderEndpoint',
    metadata: { name, namespace },
    spec: {
      provider: 'OpenAICompatible',
      credentials: { secretRef: { name: 'provider-key', key: 'apiKey' } },
      regions: [{ name: 'local', baseURL: `http://127.0.0.1:${upstreamPort}/v1` }],
      probe: { interval: '30s', timeout: '10s', model: 'gpt-4o' },
    },
  });
  const documents = [
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'provider-key', namespace },
      stringData: { apiKey: 'sk-bench-provider-not-a-key' },
    },
    endpoint('primary'),
    endpoint('fallback'),
    {
      apiVersion: 'understudy.dev/v1alpha1',
      kind: 'ModelRoute',
      metadata: { name: 'bench', namespace },
      spec: {
        models: ['gpt-4o'],
        chain: [
          { endpoint: 'primary', model: 'gpt-4o' },
          { endpoint: 'fallback', model: 'gpt-4o' },
        ],
      },
    },
  ];
  const directory = join(cacheDirectory, `config-${upstreamPort}`);
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'bench.yaml'), documents.map((document) => dump(document)).join('---\n'));
  return directory;
}
