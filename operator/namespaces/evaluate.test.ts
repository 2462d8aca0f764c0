import { modelRoute } from '../../crds/model-route.ts';
import { providerEndpoint } from '../../crds/provider-endpoint.ts';
import { decodeConfig } from '../encode-config.ts';
import { evaluate } from './evaluate.ts';
import { CONFIG_LIMITS } from './fit-config.ts';
import type { Gathered } from './gather.ts';
import { servedRoute, turnPage } from './namespace-book.ts';

describe('evaluate', () => {
  it('gives a config that can be read back from its ConfigMap', () => {
    const { served } = evaluate('sales', gathered([route('a')]), undefined);
    expect(decodeConfig(served!.encoded)).toEqual(served!.config);
  });

  it('lets what served before go on when the new config would not fit a ConfigMap, and says so of what changed', () => {
    const before = evaluate('sales', gathered([route('a'), route('b')]), undefined).served!;
    const stored = before.encoded.length;
    const many = Array.from({ length: 50 }, (_, index) => route(`more-${index}`));
    const { served, routes } = evaluate('sales', gathered([route('a', 2), route('b'), ...many]), before, {
      ...CONFIG_LIMITS,
      stored,
    });
    expect(served).toBe(before);
    expect(routes.get('a')!.accepted).toMatchObject({ status: 'False', reason: 'ConfigTooLarge' });
    expect(routes.get('a')!.served).toBe(true);
    expect(routes.get('more-1')).toMatchObject({ served: false, accepted: { reason: 'ConfigTooLarge' } });
    expect(routes.get('b')!.accepted.reason).not.toBe('ConfigTooLarge');
  });

  it.each(['stored', 'pushed'] as const)(
    'names the limit that is passed, and by how much, when a config is too large to be %s',
    (limit) => {
      const { routes } = evaluate('sales', gathered([route('a')]), undefined, { ...CONFIG_LIMITS, [limit]: 10 });
      const { message } = routes.get('a')!.accepted;
      expect(message).toMatch(limit === 'stored' ? /compressed, and a ConfigMap takes 10:/ : /a message to a proxy may have 10:/);
      expect(Number(/would have (\d+) bytes/.exec(message)?.[1])).toBeGreaterThan(10);
    },
  );

  it('serves nothing, and says why, when the very first config does not fit', () => {
    const { served, routes } = evaluate('sales', gathered([route('a')]), undefined, { ...CONFIG_LIMITS, stored: 10 });
    expect(served).toBeUndefined();
    expect(routes.get('a')!.accepted).toMatchObject({ status: 'False', reason: 'ConfigTooLarge' });
  });

  it('goes on with the last spec that could be read, and says that the present one can not', () => {
    const finding = { status: 'False', reason: 'Invalid', message: 'no' } as const;
    const input = {
      ...gathered([route('a')]),
      invalidRoutes: new Map([
        ['a', finding],
        ['new', finding],
      ]),
    };
    const { served, routes } = evaluate('sales', input, undefined);
    expect(served!.config.routes.map(({ name }) => name)).toEqual(['a']);
    expect(routes.get('a')!.accepted).toBe(finding);
    expect(routes.get('new')).toMatchObject({ served: false, accepted: finding, resolvedRefs: { status: 'Unknown' } });
  });
});

describe('servedRoute', () => {
  const first = evaluate('sales', gathered([route('a'), route('b')]), undefined);
  const second = evaluate('sales', gathered([route('a'), route('b', 2)]), first.served);
  const [old, now] = [first.served!.config.revision, second.served!.config.revision];
  const generations = new Map<string, number>();
  const page = turnPage(turnPage(undefined, undefined, { ...first, generations, now: 1 }), undefined, {
    ...second,
    generations,
    now: 2,
  });

  it('knows which older revisions hold a route just as it is', () => {
    expect([...servedRoute(page, 'a', undefined).equivalentRevisions]).toEqual([old, now]);
    expect([...servedRoute(page, 'b', undefined).equivalentRevisions]).toEqual([now]);
    expect([...servedRoute(page, 'unknown', undefined).equivalentRevisions]).toEqual([]);
  });

  it.each<{ sentence: string; name: string; shown: string | undefined; expected: string }>([
    { sentence: 'shows the newest revision of a route that shows none', name: 'a', shown: undefined, expected: now },
    { sentence: 'stays with the revision that brought the route', name: 'a', shown: old, expected: old },
    { sentence: 'moves on with a route that changed', name: 'b', shown: old, expected: now },
    {
      sentence: 'stays with one from before this operator, when nothing changed since',
      name: 'a',
      shown: 'older',
      expected: 'older',
    },
    {
      sentence: 'moves on from one of before this operator, when something changed since',
      name: 'b',
      shown: 'older',
      expected: now,
    },
  ])('$sentence', ({ name, shown, expected }) => {
    expect(servedRoute(page, name, shown).revision).toBe(expected);
  });

  it('compares with what an operator before this one had served', () => {
    const inherited = turnPage(undefined, first.served, { ...second, generations, now: 1 });
    expect(servedRoute(inherited, 'a', 'older').revision).toBe('older');
    expect(servedRoute(inherited, 'b', 'older').revision).toBe(now);
  });
});

function gathered(routes: ReturnType<typeof route>[]): Gathered {
  const endpoint = providerEndpoint.parse({
    apiVersion: 'understudy.dev/v1alpha1',
    kind: 'ProviderEndpoint',
    metadata: { name: 'vllm', namespace: 'sales' },
    spec: { provider: 'OpenAICompatible', regions: [{ name: 'one', baseURL: 'https://a.example/v1' }] },
  });
  return { routes, endpoints: [endpoint], invalidRoutes: new Map(), invalidEndpoints: new Map(), generations: new Map() };
}

function route(name: string, generation = 1) {
  return modelRoute.parse({
    apiVersion: 'understudy.dev/v1alpha1',
    kind: 'ModelRoute',
    metadata: { name, namespace: 'sales', generation },
    spec: { models: [name], chain: [{ endpoint: 'vllm', model: 'llama' }] },
  });
}
