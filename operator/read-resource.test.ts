import type { z } from 'zod';
import { type ModelRoute, modelRoute } from '../crds/model-route.ts';
import { readResource } from './read-resource.ts';

const schema = modelRoute as z.ZodType<ModelRoute>;

describe('readResource', () => {
  it('fills in defaults', () => {
    const read = readResource(schema, object({}));
    expect(read.valid && read.resource.spec.timeouts.total).toBe('120s');
  });

  it('leaves out fields of a newer version, wherever they are', () => {
    const read = readResource(
      schema,
      object({ future: 1, timeouts: { total: '60s', alsoFuture: {} } }, { futureStatus: 1, failovers: 3 }),
    );
    expect(read.valid && [read.resource.spec.timeouts.total, read.resource.status?.failovers]).toEqual(['60s', 3]);
  });

  it('reads the spec of an object whose status is of no use', () => {
    const read = readResource(schema, object({}, { failovers: 'many' }));
    expect(read.valid && read.resource.status).toBe(undefined);
    expect(read.valid).toBe(true);
  });

  it('names what is wrong with a spec', () => {
    const read = readResource(schema, object({ retries: { maxAttempts: 99 } }));
    expect(!read.valid && read.error.issues[0]!.path).toEqual(['spec', 'retries', 'maxAttempts']);
  });
});

function object(spec: object, status?: object) {
  return {
    apiVersion: 'understudy.dev/v1alpha1',
    kind: 'ModelRoute',
    metadata: { name: 'chat', namespace: 'sales' },
    spec: { models: ['m'], chain: [{ endpoint: 'a', model: 'm' }], ...spec },
    ...(status ? { status } : {}),
  };
}
