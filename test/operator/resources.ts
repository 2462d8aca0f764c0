const API_VERSION = 'understudy.dev/v1alpha1';

export function namespace(name: string, labels: Record<string, string> = {}): object {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
}

export function endpoint(inNamespace: string, name: string, spec: object = {}): object {
  return {
    apiVersion: API_VERSION,
    kind: 'ProviderEndpoint',
    metadata: { name, namespace: inNamespace },
    spec: {
      provider: 'OpenAICompatible',
      credentials: { secretRef: { name, key: 'apiKey' } },
      regions: [{ name: 'one', baseURL: `https://${name}.example/v1` }],
      ...spec,
    },
  };
}

export function route(inNamespace: string, name: string, chain: string[], spec: object = {}): object {
  return {
    apiVersion: API_VERSION,
    kind: 'ModelRoute',
    metadata: { name, namespace: inNamespace },
    spec: { models: [name], chain: chain.map((entry) => chainEntry(entry)), ...spec },
  };
}

/** `openai/gpt-4o` or `openai/gpt-4o/us-east`. */
function chainEntry(text: string): object {
  const [endpointName, model, region] = text.split('/');
  return { endpoint: endpointName, model, ...(region ? { region } : {}) };
}
