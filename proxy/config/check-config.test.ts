import type { RuntimeConfig } from '../../contract/runtime-config.ts';
import { checkConfig } from './check-config.ts';
import { ConfigRefusedError } from './config-refused-error.ts';

const target = { id: 'openai/us/gpt', endpoint: 'openai', region: 'us', model: 'gpt', step: 0, entry: 0, weight: 1 };
const endpoint = (baseURL = 'https://api.openai.com/v1') =>
  ({ name: 'openai', provider: 'OpenAI', failureDomain: 'openai', regions: [{ name: 'us', baseURL }] }) as const;
const route = (name: string, ...targets: (typeof target)[]) => ({
  name,
  generation: 1,
  models: ['gpt'],
  targets,
  timeouts: { connect: 1_000, firstContent: 1_000, idle: 1_000, total: 5_000 },
  retries: { maxAttempts: 4, sameTarget: 1, budgetPercent: 20, waitUpTo: 0 },
  streaming: { commit: 'FirstContent', afterCommit: 'Error' },
});
const config = (parts: { endpoints?: unknown[]; routes?: unknown[] } = {}) => ({
  version: 1,
  namespace: 'sales',
  revision: 'r1',
  endpoints: [endpoint()],
  routes: [route('chat', target)],
  ...parts,
});

describe('a config', () => {
  it('that fits together is taken', () => {
    expect(checkConfig(config()) satisfies RuntimeConfig).toEqual(config());
  });

  it.each([
    [
      'a target whose id is not its parts',
      { routes: [route('chat', { ...target, id: 'openai/us/other' })] },
      'routes.0.targets.0',
    ],
    ['a target twice in a route', { routes: [route('chat', target, target)] }, 'routes.0.targets.1'],
    ['two endpoints of one name', { endpoints: [endpoint(), endpoint()] }, 'endpoints.1'],
    ['two routes of one name', { routes: [route('chat', target), route('chat', target)] }, 'routes.1'],
    ['a base URL that is not http(s)', { endpoints: [endpoint('mailto:someone@example.com')] }, 'endpoints.0.regions.0'],
    ['an unknown endpoint', { endpoints: [] }, 'routes.0.targets.0'],
  ])('with %s is refused before anything of it is served', (_, parts, where) => {
    const check = () => checkConfig(config(parts));
    expect(check).toThrow(ConfigRefusedError);
    expect(check).toThrow(where);
  });
});
