import { EXAMPLES } from './examples.ts';
import { KINDS, type Kind } from './kinds.ts';
import { parseModelRoute, parseProviderEndpoint, validateResource } from './validate.ts';

const route = { ...EXAMPLES.ModelRoute, metadata: { name: 'proposals', uid: '1', managedFields: [] } };
const endpoint = { ...EXAMPLES.ProviderEndpoint } as { spec: Record<string, unknown> };

describe('validation without an API server', () => {
  it.each(Object.keys(KINDS) as Kind[])('takes the example of %s', (kind) => {
    expect(validateResource(EXAMPLES[kind])).toMatchObject({ ok: true, resource: { kind } });
  });

  it('fills in defaults', () => {
    const result = parseModelRoute(route);
    expect(result).toMatchObject({
      ok: true,
      resource: { spec: { timeouts: { connect: '2s', total: '60s' }, retries: { maxAttempts: 4 } } },
    });
  });

  it('leaves the given object as it is', () => {
    const before = structuredClone(route);
    parseModelRoute(route);
    expect(route).toEqual(before);
  });

  it('names a problem by its path, index by index', () => {
    const regions = [{ name: 'us', baseURL: 'https://a.example' }, { name: 'eu' }];
    expect(parseProviderEndpoint({ ...endpoint, spec: { ...endpoint.spec, regions } })).toEqual({
      ok: false,
      problems: [{ path: ['spec', 'regions', 1, 'baseURL'], message: 'Required value' }],
    });
  });

  it('never repeats a value, which could be a key', () => {
    const regions = [{ name: 'us', baseURL: 'https://user:sk-secret@a.example?key=sk-secret' }];
    const credentials = { secretRef: { name: 'sk-SECRET', key: 'sk secret' }, apiKey: 'sk-secret' };
    const result = parseProviderEndpoint({ ...endpoint, spec: { ...endpoint.spec, regions, credentials } });
    expect(result).toMatchObject({ ok: false, problems: { length: 5 } });
    expect(JSON.stringify(result).toLowerCase()).not.toMatch(/sk.secret/);
  });

  it('refuses a URL that the rules let through and that nobody can call', () => {
    const regions = [{ name: 'us', baseURL: 'https://a.example:99999/v1' }];
    expect(parseProviderEndpoint({ ...endpoint, spec: { ...endpoint.spec, regions } })).toMatchObject({
      problems: [{ path: ['spec', 'regions', 0, 'baseURL'], message: expect.stringContaining('look at its host and port') }],
    });
  });

  it.each([
    ['null', null, { path: ['kind'], message: 'must be ModelRoute or ProviderEndpoint' }],
    ['another kind', { kind: 'Pod' }, { path: ['kind'], message: 'must be ModelRoute or ProviderEndpoint' }],
    [
      'another version',
      { ...route, apiVersion: 'understudy.dev/v2' },
      { path: ['apiVersion'], message: 'must be understudy.dev/v1alpha1' },
    ],
    ['no spec', { ...route, spec: undefined }, { path: ['spec'], message: 'Required value' }],
    ['a field beside spec', { ...route, specs: {} }, { path: ['specs'], message: 'unknown field: did you mean "spec"?' }],
    ['no name', { ...route, metadata: {} }, { path: ['metadata', 'name'], message: expect.any(String) }],
    ['no metadata', { ...route, metadata: undefined }, { path: ['metadata'], message: expect.any(String) }],
    [
      'a name in capitals',
      { ...route, metadata: { name: 'A' } },
      { path: ['metadata', 'name'], message: expect.stringContaining('lower-case') },
    ],
  ])('refuses %s', (_, object, problem) => {
    expect(validateResource(object)).toEqual({ ok: false, problems: [problem] });
  });

  it('is not led astray by names that every JavaScript object has', () => {
    const spec = JSON.parse('{"models":["a"],"chain":[{"endpoint":"o","model":"m"}],"constructor":{},"__proto__":{"x":1}}');
    expect(parseModelRoute({ ...route, spec })).toMatchObject({
      problems: [{ path: ['spec', 'constructor'] }, { path: ['spec', '__proto__'] }],
    });
  });

  it('does not look at status, which the API server would ignore', () => {
    expect(validateResource({ ...route, status: { nonsense: true } })).toMatchObject({ ok: true });
  });
});
