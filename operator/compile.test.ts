import { runtimeConfig } from '../contract/runtime-config.ts';
import { modelRoute } from '../crds/model-route.ts';
import { providerEndpoint } from '../crds/provider-endpoint.ts';
import { compile } from './compile.ts';

const openai = endpoint('openai', { provider: 'OpenAI', regions: ['us', 'eu'] });
const azure = endpoint('relay', { provider: 'OpenAICompatible', regions: ['global'], failureDomain: 'openai' });
const vllm = endpoint('vllm', { provider: 'OpenAICompatible', regions: ['local'], models: ['llama', 'qwen'], probe: {} });

describe('compile', () => {
  it('makes a config that its own contract takes', () => {
    const { config } = compileSales([openai, vllm], [route('chat', [{ endpoint: 'openai', model: 'gpt' }])]);
    expect(runtimeConfig.parse(config)).toEqual(config);
  });

  it.each<{ sentence: string; chain: object[]; expected: string[] }>([
    {
      sentence: 'takes every region of an endpoint, in their order, when an entry names none',
      chain: [{ endpoint: 'openai', model: 'gpt' }],
      expected: ['openai/us/gpt step 0 entry 0 weight 1', 'openai/eu/gpt step 0 entry 0 weight 1'],
    },
    {
      sentence: 'takes one region when an entry names it',
      chain: [{ endpoint: 'openai', model: 'gpt', region: 'eu' }],
      expected: ['openai/eu/gpt step 0 entry 0 weight 1'],
    },
    {
      sentence: 'joins neighbouring entries with a weight into one step',
      chain: [
        { endpoint: 'openai', model: 'gpt', region: 'us', weight: 80 },
        { endpoint: 'relay', model: 'gpt', weight: 20 },
        { endpoint: 'vllm', model: 'llama' },
      ],
      expected: [
        'openai/us/gpt step 0 entry 0 weight 80',
        'relay/global/gpt step 0 entry 1 weight 20',
        'vllm/local/llama step 1 entry 2 weight 1',
      ],
    },
    {
      sentence: 'keeps weighted entries apart that an entry without a weight stands between, even one that does not exist',
      chain: [
        { endpoint: 'openai', model: 'gpt', region: 'us', weight: 80 },
        { endpoint: 'nowhere', model: 'gpt' },
        { endpoint: 'vllm', model: 'llama', weight: 20 },
      ],
      expected: ['openai/us/gpt step 0 entry 0 weight 80', 'vllm/local/llama step 1 entry 2 weight 20'],
    },
    {
      sentence: 'keeps the first place of a target that appears twice',
      chain: [
        { endpoint: 'openai', model: 'gpt', region: 'eu' },
        { endpoint: 'vllm', model: 'llama' },
        { endpoint: 'openai', model: 'gpt' },
      ],
      expected: [
        'openai/eu/gpt step 0 entry 0 weight 1',
        'vllm/local/llama step 1 entry 1 weight 1',
        'openai/us/gpt step 2 entry 2 weight 1',
      ],
    },
    {
      sentence: 'counts steps from the first entry that something is left of',
      chain: [
        { endpoint: 'nowhere', model: 'gpt' },
        { endpoint: 'vllm', model: 'llama' },
      ],
      expected: ['vllm/local/llama step 0 entry 1 weight 1'],
    },
  ])('$sentence', ({ chain, expected }) => {
    const { config } = compileSales([openai, azure, vllm], [route('chat', chain)]);
    const shown = config.routes[0]!.targets.map((t) => `${t.id} step ${t.step} entry ${t.entry} weight ${t.weight}`);
    expect(shown).toEqual(expected);
  });

  it.each<{ sentence: string; chain: object[]; type: 'accepted' | 'resolvedRefs'; status: string; reason: string; says: string }>(
    [
      {
        sentence: 'accepts a chain over two failure domains without a warning',
        chain: [
          { endpoint: 'openai', model: 'gpt' },
          { endpoint: 'vllm', model: 'llama' },
        ],
        type: 'accepted',
        status: 'True',
        reason: 'Accepted',
        says: 'valid',
      },
      {
        sentence: 'warns of a chain in one failure domain',
        chain: [
          { endpoint: 'openai', model: 'gpt' },
          { endpoint: 'relay', model: 'gpt' },
        ],
        type: 'accepted',
        status: 'True',
        reason: 'SingleFailureDomain',
        says: '"openai"',
      },
      {
        sentence: 'warns of a model that the endpoint does not list',
        chain: [
          { endpoint: 'openai', model: 'gpt' },
          { endpoint: 'vllm', model: 'mistral' },
        ],
        type: 'accepted',
        status: 'True',
        reason: 'ModelNotListed',
        says: '"vllm" does not list "mistral"',
      },
      {
        sentence: 'tells every warning in the message, the weightiest in the reason',
        chain: [{ endpoint: 'vllm', model: 'mistral' }],
        type: 'accepted',
        status: 'True',
        reason: 'ModelNotListed',
        says: 'failure domain "vllm"',
      },
      {
        sentence: 'names an endpoint that does not exist, and goes on with the rest',
        chain: [
          { endpoint: 'nowhere', model: 'gpt' },
          { endpoint: 'vllm', model: 'llama' },
        ],
        type: 'resolvedRefs',
        status: 'False',
        reason: 'EndpointNotFound',
        says: 'spec.chain[0]: there is no ProviderEndpoint "nowhere" in this namespace: create it, or name another. The rest of the chain is used.',
      },
      {
        sentence: 'names a region that does not exist, and those that do',
        chain: [
          { endpoint: 'openai', model: 'gpt', region: 'asia' },
          { endpoint: 'vllm', model: 'llama' },
        ],
        type: 'resolvedRefs',
        status: 'False',
        reason: 'RegionNotFound',
        says: 'has no region "asia", it has: us, eu',
      },
    ],
  )('$sentence', ({ chain, type, status, reason, says }) => {
    const finding = compileSales([openai, azure, vllm], [route('chat', chain)]).routes.get('chat')![type];
    expect(finding).toMatchObject({ status, reason });
    expect(finding.message).toContain(says);
  });

  it('leaves a route without any target out of the config, and says why', () => {
    const { config, routes } = compileSales([openai], [route('chat', [{ endpoint: 'nowhere', model: 'gpt' }])]);
    expect(config.routes).toEqual([]);
    expect(routes.get('chat')).toMatchObject({ served: false, resolvedRefs: { status: 'False', reason: 'EndpointNotFound' } });
    expect(routes.get('chat')!.resolvedRefs.message).toContain('not served');
  });

  it('tells an endpoint that is invalid from one that is missing', () => {
    const { routes } = compile({
      namespace: 'sales',
      endpoints: [openai],
      invalidEndpoints: new Set(['broken']),
      routes: [route('chat', [{ endpoint: 'broken', model: 'gpt' }])],
    });
    expect(routes.get('chat')!.resolvedRefs.message).toContain('"broken" is invalid');
  });

  it('keeps out of the config what a proxy would refuse as a whole, and serves the rest', () => {
    const broken = route('broken', [{ endpoint: 'vllm', model: 'llama' }], { models: ['broken'] });
    broken.spec.timeouts.response = '0s';
    const unreachable = structuredClone(openai);
    unreachable.spec.regions[0]!.baseURL = 'https://[';
    const healthy = route('healthy', [
      { endpoint: 'openai', model: 'gpt' },
      { endpoint: 'vllm', model: 'llama' },
    ]);
    const { config, routes, endpoints } = compileSales([unreachable, vllm], [broken, healthy]);
    expect(runtimeConfig.parse(config).routes.map(({ name }) => name)).toEqual(['healthy']);
    expect(config.routes[0]!.targets.map(({ id }) => id)).toEqual(['vllm/local/llama']);
    expect(routes.get('broken')).toMatchObject({ served: false, accepted: { status: 'False', reason: 'Invalid' } });
    expect(routes.get('broken')!.accepted.message).toContain('timeouts.response');
    expect(endpoints.get('openai')!.accepted).toMatchObject({ status: 'False', reason: 'Invalid' });
  });

  it('gives a model name to the older route, and to the first by name among routes of one second', () => {
    const chain = [
      { endpoint: 'openai', model: 'gpt' },
      { endpoint: 'vllm', model: 'llama' },
    ];
    const older = route('zebra', chain, { models: ['a', 'b'], created: '2026-01-01T00:00:00Z' });
    const younger = route('aardvark', chain, { models: ['b', 'c'], created: '2026-01-02T00:00:00Z' });
    const twin = route('baboon', chain, { models: ['c'], created: '2026-01-02T00:00:00Z' });
    const { config, routes } = compileSales([openai, vllm], [twin, younger, older]);
    expect(config.routes.map(({ name, models }) => `${name}: ${models.join(' ')}`)).toEqual(['aardvark: c', 'zebra: a b']);
    expect(routes.get('zebra')!.accepted).toMatchObject({ status: 'True', reason: 'Accepted' });
    expect(routes.get('aardvark')!.accepted).toMatchObject({ status: 'True', reason: 'ModelNameConflict' });
    expect(routes.get('aardvark')!.accepted.message).toContain('"b" belongs to the older route "zebra"');
    expect(routes.get('baboon')!).toMatchObject({ served: false, accepted: { status: 'False', reason: 'ModelNameConflict' } });
  });

  it('holds only endpoints that a served route uses, and says which those are', () => {
    const { config, endpoints } = compileSales([openai, vllm], [route('chat', [{ endpoint: 'openai', model: 'gpt' }])]);
    expect(config.endpoints.map((endpoint) => endpoint.name)).toEqual(['openai']);
    expect(endpoints.get('openai')!.used).toBe(true);
    expect(endpoints.get('vllm')!.used).toBe(false);
  });

  it.each<{ sentence: string; spec: { models?: string[]; probe?: { model?: string } }; expected: string | undefined }>([
    { sentence: 'probes the model that is named', spec: { models: ['a', 'b'], probe: { model: 'b' } }, expected: 'b' },
    { sentence: 'else the first that is listed', spec: { models: ['a', 'b'], probe: {} }, expected: 'a' },
    { sentence: 'else the first that the oldest route asks of it', spec: { probe: {} }, expected: 'old' },
    { sentence: 'and none when probes are not asked for', spec: {}, expected: undefined },
  ])('$sentence', ({ spec, expected }) => {
    const { config } = compileSales(
      [endpoint('vllm', { provider: 'OpenAICompatible', regions: ['local'], ...spec })],
      [
        route('a-young', [{ endpoint: 'vllm', model: 'young' }], { created: '2026-02-02T00:00:00Z', models: ['young'] }),
        route('b-old', [{ endpoint: 'vllm', model: 'old' }], { created: '2026-01-01T00:00:00Z', models: ['old'] }),
      ],
    );
    expect(config.endpoints[0]!.probe?.model).toBe(expected);
  });

  it('gives the same revision for the same resources in any order, and another for any change', () => {
    const chain = [
      { endpoint: 'openai', model: 'gpt' },
      { endpoint: 'vllm', model: 'llama' },
    ];
    const a = route('a', chain, { models: ['a'] });
    const b = route('b', chain, { models: ['b'] });
    const first = compileSales([openai, vllm], [a, b]).config.revision;
    expect(compileSales([vllm, openai], [b, a]).config.revision).toBe(first);
    expect(compileSales([vllm, openai], [b]).config.revision).not.toBe(first);
    expect(compileSales([vllm, openai], [b, route('a', chain, { models: ['a'], generation: 2 })]).config.revision).not.toBe(
      first,
    );
  });
});

function compileSales(endpoints: ReturnType<typeof endpoint>[], routes: ReturnType<typeof route>[]) {
  return compile({ namespace: 'sales', endpoints, routes });
}

function endpoint(
  name: string,
  given: { provider: string; regions: string[]; failureDomain?: string; models?: string[]; probe?: object },
) {
  const { provider, regions, failureDomain, models, probe } = given;
  return providerEndpoint.parse({
    apiVersion: 'understudy.dev/v1alpha1',
    kind: 'ProviderEndpoint',
    metadata: { name, namespace: 'sales', generation: 1 },
    spec: {
      provider,
      credentials: { secretRef: { name, key: 'apiKey' } },
      regions: regions.map((region) => ({ name: region, baseURL: `https://${region}.${name}.example/v1` })),
      ...(failureDomain ? { failureDomain } : {}),
      ...(models ? { models: models.map((model) => ({ name: model })) } : {}),
      ...(probe ? { probe } : {}),
    },
  });
}

function route(name: string, chain: object[], given: { models?: string[]; created?: string; generation?: number } = {}) {
  return modelRoute.parse({
    apiVersion: 'understudy.dev/v1alpha1',
    kind: 'ModelRoute',
    metadata: {
      name,
      namespace: 'sales',
      generation: given.generation ?? 1,
      creationTimestamp: given.created ?? '2026-01-01T00:00:00Z',
    },
    spec: { models: given.models ?? ['gpt'], chain },
  });
}
