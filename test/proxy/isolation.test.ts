import { ask } from '../lab/ask.ts';
import { FAULTS, type FaultName } from '../lab/faults.ts';
import { keyOf, type Stage, startProxy, type TargetSpec } from './start-proxy.ts';

let stage: Stage;
afterEach(() => stage?.stop());

const FALLBACK: TargetSpec = { lab: 'secondary', model: 'fallback' };
const targetOf = async (model: string) => (await ask(stage.client, { model })).headers?.get('x-understudy-target');

/** Two routes, named for what differs, over one host: one part of it is broken, the other must not notice. */
async function start(sick: TargetSpec, well: TargetSpec): Promise<void> {
  stage = await startProxy({
    routes: [
      { models: ['sick'], chain: [sick, FALLBACK] },
      { models: ['well'], chain: [well, FALLBACK] },
    ],
  });
}

const FAULTS_TO_TRY: FaultName[] = [
  'status-500',
  'hang',
  'rate-limit',
  'invalid-key',
  'model-not-found',
  'insufficient-quota',
  'reset',
];

describe.each(FAULTS_TO_TRY)('%s', (name) => {
  it.each([
    {
      part: 'model',
      sick: { lab: 'primary', model: 'a' },
      well: { lab: 'primary', model: 'b' },
      match: { models: ['a'] },
    },
    {
      part: 'region',
      sick: { lab: 'primary', region: 'east', model: 'a' },
      well: { lab: 'primary', region: 'west', model: 'a' },
      match: { paths: ['/east/'] },
    },
    {
      part: 'key',
      sick: { lab: 'primary', endpoint: 'account-a', model: 'a' },
      well: { lab: 'primary', endpoint: 'account-b', model: 'a' },
      match: { keys: [keyOf('account-a')] },
    },
  ])('of one $part never keeps requests from another $part of the same host', async ({ sick, well, match }) => {
    await start(sick, well);
    await stage.primary.setFault(FAULTS[name].fault, match);
    const wellTarget = `${well.endpoint ?? 'primary'}/${well.region ?? 'lab'}/${well.model}`;
    for (let index = 0; index < 6; index++) {
      const [left, right] = await Promise.all([targetOf('sick'), targetOf('well')]);
      expect(left).toBe('secondary/lab/fallback');
      expect(right).toBe(wellTarget);
    }
    const report = stage.proxy.report().targets.find(({ id }) => id === wellTarget);
    expect(report).toMatchObject({ health: 'Healthy', failures: 0 });
  });
});

it('hundreds of requests that hang at one model leave another model of the same host answering', async () => {
  const long = { connect: 20_000, firstContent: 40_000, response: 40_000, idle: 40_000, total: 50_000 };
  stage = await startProxy({
    routes: [
      { models: ['sick'], chain: [{ lab: 'primary', model: 'a' }], timeouts: long },
      { models: ['well'], chain: [{ lab: 'primary', model: 'b' }] },
    ],
  });
  await stage.primary.setFault({ kind: 'hang' }, { models: ['a'] });
  const leaving = new AbortController();
  const hanging = Array.from({ length: 300 }, () =>
    ask(stage.client, { model: 'sick', signal: leaving.signal, timeoutMs: 40_000 }),
  );
  await stage.primary.waitForRequest(({ number }) => number === 300, 20_000);
  for (let index = 0; index < 10; index++) expect((await ask(stage.client, { model: 'well' })).error).toBeUndefined();
  leaving.abort();
  await Promise.all(hanging);
});

describe('what a model is not for', () => {
  it.each([
    [
      403,
      '{"error":{"message":"You are not allowed to generate embeddings from this model","type":"invalid_request_error","code":null}}',
    ],
    [
      404,
      '{"error":{"message":"This is a chat model and not supported in this endpoint.","type":"invalid_request_error","code":null}}',
    ],
  ])('asked of it by one client (%i) takes it from no other', async (status, body) => {
    stage = await startProxy({ labs: [{ name: 'primary' }, { name: 'secondary' }] });
    await stage.primary.setFault({ kind: 'status', status, contentType: 'application/json', body }, { paths: ['/embeddings'] });
    expect((await ask(stage.client)).headers?.get('x-understudy-target')).toBe('primary/lab/gpt-4o');
    await stage.client.embeddings.create({ model: 'gpt-4o', input: 'a' });
    expect((await ask(stage.client)).headers?.get('x-understudy-target')).toBe('primary/lab/gpt-4o');
    expect(stage.proxy.report().targets[0]).toMatchObject({ health: 'Healthy' });
  });
});
