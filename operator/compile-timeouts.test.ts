import { modelRoute } from '../crds/model-route.ts';
import { providerEndpoint } from '../crds/provider-endpoint.ts';
import { compile } from './compile.ts';

const apiVersion = 'understudy.dev/v1alpha1';
const endpoint = providerEndpoint.parse({
  apiVersion,
  kind: 'ProviderEndpoint',
  metadata: { name: 'vllm', namespace: 'sales' },
  spec: { provider: 'OpenAICompatible', regions: [{ name: 'local', baseURL: 'http://vllm/v1' }] },
});

describe('timeouts that are compiled', () => {
  it.each([
    ['defaults', {}, { connect: 2_000, firstContent: 10_000, idle: 15_000, total: 120_000 }],
    [
      'a short total caps what was left at its default',
      { total: '1500ms' },
      { connect: 1_500, firstContent: 1_500, idle: 1_500, total: 1_500 },
    ],
    [
      'a short first content caps the connect',
      { firstContent: '1s' },
      { connect: 1_000, firstContent: 1_000, idle: 15_000, total: 120_000 },
    ],
  ])('%s', (_, timeouts, expected) => {
    const route = modelRoute.parse({
      apiVersion,
      kind: 'ModelRoute',
      metadata: { name: 'chat', namespace: 'sales' },
      spec: { models: ['m'], chain: [{ endpoint: 'vllm', model: 'm' }], timeouts },
    });
    const { config } = compile({ namespace: 'sales', endpoints: [endpoint], routes: [route] });
    expect(config.routes[0]?.timeouts).toEqual(expected);
  });
});
