import OpenAI, { APIError, AuthenticationError, RateLimitError } from 'openai';
import { ask } from '../lab/ask.ts';
import { FAULTS, type FaultName } from '../lab/faults.ts';
import { APPLICATION_KEY, type Stage, startProxy } from './start-proxy.ts';

const LABS = [{ name: 'primary' }, { name: 'secondary' }, { name: 'tertiary' }];
/** Whatever a machine is busy with: an answer that comes later than this did not come by the deadline. */
const LIVENESS_MS = 15_000;

let stage: Stage;
afterEach(() => stage?.stop());

async function breakAll(...names: FaultName[]): Promise<void> {
  const labs = Object.values(stage.labs);
  for (const [index, lab] of labs.entries()) await lab.setFault(FAULTS[names[index] ?? names.at(-1)!].fault);
}

const ways = [{ stream: false }, { stream: true }];

it.each(ways)(
  'an error about the request in an answer of 200 is not given on as an answer, stream: $stream',
  async ({ stream }) => {
    stage = await startProxy();
    const body = '{"error":{"message":"messages: at least one is needed","type":"invalid_request_error","code":"empty_array"}}';
    await stage.primary.setFault({ kind: 'status', status: 200, contentType: 'application/json', body });
    const { error } = await ask(stage.client, { stream });
    expect(error).toMatchObject({ status: 400, code: 'empty_array' });
  },
);

describe('when every target fails', () => {
  const TELLING = [
    {
      faults: ['rate-limit', 'status-500', 'refuse'],
      status: 429,
      code: 'rate_limit_exceeded',
      why: 'a rate limit says when to come back',
    },
    {
      faults: ['status-502', 'overloaded', 'refuse'],
      status: 503,
      code: 'server_is_overloaded',
      why: "a provider's own word about load",
    },
    {
      faults: ['refuse', 'status-500', 'status-502'],
      status: 500,
      code: 'server_error',
      why: "a provider's error, not a page before it",
    },
    { faults: ['invalid-key', 'refuse', 'hang'], status: 504, code: undefined, why: 'silence, not trouble with our account' },
    {
      faults: ['model-not-found', 'status-502', 'refuse'],
      status: 503,
      code: 'model_not_found',
      why: 'a model that the route names wrongly',
    },
  ] satisfies { faults: FaultName[]; status: number; code: string | undefined; why: string }[];

  it.each(TELLING.flatMap((row) => ways.map((way) => ({ ...row, ...way }))))(
    'of $faults the client is told $status $code: $why, stream: $stream',
    async ({ faults, status, code, stream }) => {
      stage = await startProxy({ labs: LABS });
      await breakAll(...faults);
      const { error, headers, text } = await ask(stage.client, { stream });
      expect(error).toBeInstanceOf(APIError);
      expect(error).toMatchObject({ status, error: { message: expect.any(String), type: expect.any(String) } });
      if (code) expect(error).toMatchObject({ code });
      expect(text).toBe('');
      expect(headers?.get('x-should-retry')).toBe('false');
      expect(headers?.get('x-understudy-route')).toBe('route-0');
      expect(headers?.get('content-type')).toContain('application/json');
    },
  );

  it('the error names what every target said', async () => {
    stage = await startProxy({ labs: LABS });
    await breakAll('overloaded', 'refuse', 'hang');
    const { error } = await ask(stage.client);
    const said = JSON.stringify((error as APIError).error);
    for (const target of ['primary/lab/gpt-4o', 'secondary/lab/secondary-model', 'tertiary/lab/tertiary-model']) {
      expect(said).toContain(target);
    }
  });

  it('an SDK that would retry asks once, so that nothing is multiplied', async () => {
    stage = await startProxy({ labs: LABS });
    await breakAll('status-503');
    const eager = new OpenAI({ baseURL: stage.baseURL, apiKey: APPLICATION_KEY, maxRetries: 5, logLevel: 'off' });
    const { error } = await ask(eager);
    expect(error).toBeInstanceOf(APIError);
    const asked = Object.values(stage.labs).reduce((sum, { requests }) => sum + requests.length, 0);
    expect(asked).toBeLessThanOrEqual(4);
  });

  it.each(ways)('silence everywhere ends by the deadline of the request, stream: $stream', async ({ stream }) => {
    stage = await startProxy({ labs: LABS, routes: [{ timeouts: { total: 1_200, firstContent: 1_000, response: 1_000 } }] });
    await breakAll('hang');
    const { error } = await ask(stage.client, { stream, timeoutMs: LIVENESS_MS });
    expect(error).toMatchObject({ status: 504 });
    for (const lab of Object.values(stage.labs)) {
      for (const request of lab.requests)
        await lab.waitForRequest(({ number, outcome }) => number === request.number && outcome === 'clientGone');
    }
  });

  it('no more attempts are made than the route allows', async () => {
    stage = await startProxy({ labs: LABS, routes: [{ retries: { maxAttempts: 2 } }] });
    await breakAll('status-500');
    const { headers } = await ask(stage.client);
    expect(headers?.get('x-understudy-attempts')).toBe('2');
    expect(Object.values(stage.labs).map(({ requests }) => requests.length)).toEqual([1, 1, 0]);
  });

  it('a rate limit everywhere passes the soonest Retry-After on', async () => {
    stage = await startProxy({ labs: LABS });
    await breakAll('rate-limit');
    const { error, headers } = await ask(stage.client);
    expect(error).toBeInstanceOf(RateLimitError);
    expect(headers?.get('retry-after')).toBe('1');
  });

  it('refused keys everywhere are no 401 of the application', async () => {
    stage = await startProxy({ labs: LABS });
    await breakAll('invalid-key');
    const { error } = await ask(stage.client);
    expect(error).toBeInstanceOf(APIError);
    expect(error).not.toBeInstanceOf(AuthenticationError);
    expect(error).toMatchObject({ status: 503 });
  });
});
