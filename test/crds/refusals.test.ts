import { join } from 'node:path';
import { formatFieldPath } from '../../crds/problem.ts';
import { validateResource } from '../../crds/validate.ts';
import { type ControlPlane, startControlPlane } from '../control-plane/control-plane.ts';
import { installDefinitions } from './install-definitions.ts';
import { REFUSED, REFUSED_IN_KUBERNETES_WORDS, type ResourceCase, route, TAKEN } from './resource-cases.ts';
import { serverProblems } from './server-problems.ts';

const dryRun = ['create', '--dry-run=server', '-f', '-'];

/** Sorted, since the API server tells its problems in no fixed order. */
function byField(problems: { field: string; message: string }[]): Record<string, string[]> {
  const result: Record<string, string[]> = {};
  for (const { field, message } of problems) result[field] = [...(result[field] ?? []), message].sort();
  return result;
}

function offline({ object }: ResourceCase): Record<string, string[]> {
  const result = validateResource(object);
  return byField(result.ok ? [] : result.problems.map(({ path, message }) => ({ field: formatFieldPath(path), message })));
}

describe('what is refused', () => {
  let controlPlane: ControlPlane;
  beforeAll(async () => {
    controlPlane = await startControlPlane();
    await installDefinitions(controlPlane, join(import.meta.dirname, '../../manifests/crds.yaml'));
  }, 180_000);
  afterAll(() => controlPlane.stop());

  const create = (object: object) => controlPlane.kubectl(dryRun, { stdin: JSON.stringify(object) });

  describe.each(REFUSED)('$name', (refused) => {
    it('is refused by the API server with a message that says what to do', async () => {
      const { code, stderr } = await create(refused.object);
      expect(byField(serverProblems(stderr))).toEqual(refused.problems);
      expect(code).toBe(1);
    });

    it('is refused offline with the same message', () => {
      expect(offline(refused)).toEqual(refused.problems);
    });
  });

  describe.each(REFUSED_IN_KUBERNETES_WORDS)('$name', (refused) => {
    it('is refused by both, and offline in the words that Kubernetes uses', async () => {
      const { code, stderr } = await create(refused.object);
      expect(code).toBe(1);
      const said = serverProblems(stderr);
      expect(said.map(({ field }) => field).sort()).toEqual(Object.keys(refused.problems).sort());
      for (const { field, message } of said) expect(message).toContain(refused.problems[field]![0]);
      expect(offline(refused)).toEqual(refused.problems);
    });
  });

  it.each(TAKEN)('$name is taken by both', async (taken) => {
    expect(await create(taken.object)).toMatchObject({ code: 0, stderr: '' });
    expect(offline(taken)).toEqual({});
  });

  it('refuses an unknown field by its name', async () => {
    const object = route({ timeout: { total: '5s' }, retries: { maxAttempt: 3 } });
    const { code, stderr } = await create(object);
    expect(code).toBe(1);
    expect(stderr).toContain('strict decoding error: unknown field "spec.retries.maxAttempt", unknown field "spec.timeout"');
    expect(offline({ name: '', object, problems: {} })).toEqual({
      'spec.timeout': ['unknown field: did you mean "timeouts"?'],
      'spec.retries.maxAttempt': ['unknown field: did you mean "maxAttempts"?'],
    });
  });

  it('says the whole of it the way a user reads it', async () => {
    const { stderr } = await create(route({ chain: [] }));
    expect(stderr).toBe(
      'The ModelRoute "proposals" is invalid: spec.chain: Invalid value: name at least one target in spec.chain: {endpoint: …, model: …}\n',
    );
  });
});
