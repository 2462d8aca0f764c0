import type { Kind } from './kinds.ts';
import { API_VERSION } from './names.ts';

/** What the reference shows of each kind. */
export const EXAMPLES: Record<Kind, object> = {
  ModelRoute: {
    apiVersion: API_VERSION,
    kind: 'ModelRoute',
    metadata: { name: 'proposals', namespace: 'sales' },
    spec: {
      models: ['proposal-writer', 'gpt-4o'],
      chain: [
        { endpoint: 'openai', model: 'gpt-4o' },
        { endpoint: 'vllm', model: 'llama-3.3-70b', region: 'local' },
      ],
      timeouts: { firstContent: '5s', total: '60s' },
    },
  },
  ProviderEndpoint: {
    apiVersion: API_VERSION,
    kind: 'ProviderEndpoint',
    metadata: { name: 'openai', namespace: 'sales' },
    spec: {
      provider: 'OpenAI',
      credentials: { secretRef: { name: 'openai', key: 'apiKey' } },
      regions: [
        { name: 'us', baseURL: 'https://api.openai.com/v1' },
        { name: 'eu', baseURL: 'https://eu.api.openai.com/v1' },
      ],
      models: [{ name: 'gpt-4o' }, { name: 'gpt-4o-mini' }],
      probe: { interval: '30s', model: 'gpt-4o-mini' },
    },
  },
};
