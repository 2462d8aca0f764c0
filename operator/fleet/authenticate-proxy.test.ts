import { FakeClock } from '../kube/fake-clock.ts';
import type { TokenReview } from '../kube/kube-client.ts';
import {
  ACCEPTED_FOR_MS,
  createAuthenticateProxy,
  MAX_REMEMBERED_VERDICTS,
  MAX_REVIEWS_AT_ONCE,
  MAX_REVIEWS_OF_ONE_PEER,
  MAX_TOKEN_LENGTH,
  REFUSED_FOR_MS,
} from './authenticate-proxy.ts';

const proxyToken: TokenReview = {
  authenticated: true,
  username: 'system:serviceaccount:sales:understudy-proxy',
  groups: [],
  audiences: ['understudy'],
  serviceAccount: { namespace: 'sales', name: 'understudy-proxy' },
  pod: { name: 'understudy-proxy-abc' },
};

function setUp(review: (token: string) => Promise<TokenReview> = async () => proxyToken) {
  const clock = new FakeClock();
  const asked: string[] = [];
  const client = {
    reviewToken: (token: string) => {
      asked.push(token);
      return review(token);
    },
  };
  return { clock, asked, authenticate: createAuthenticateProxy({ client, serviceAccount: 'understudy-proxy', clock }) };
}

describe('who a proxy is', () => {
  it('takes the namespace and the pod from the token', async () => {
    const { authenticate } = setUp();
    expect(await authenticate('Bearer good')).toEqual({
      outcome: 'Accepted',
      identity: { namespace: 'sales', pod: 'understudy-proxy-abc' },
    });
  });

  it.each<[string, Partial<Extract<TokenReview, { authenticated: true }>>, string]>([
    [
      'another ServiceAccount',
      { serviceAccount: { namespace: 'sales', name: 'default' } },
      'the token is of ServiceAccount sales/default; proxies run as ServiceAccount understudy-proxy',
    ],
    ['a user', { serviceAccount: undefined as never, username: 'ada' }, 'the token is of ada, which is no ServiceAccount'],
    ['another audience', { audiences: ['vault'] }, 'the token is not meant for the audience understudy'],
  ])('forbids the token of %s, and says so', async (_sentence, difference, message) => {
    const { authenticate } = setUp(async () => ({ ...proxyToken, ...difference }));
    expect(await authenticate('Bearer good')).toEqual({ outcome: 'Forbidden', message });
  });

  it.each([undefined, '', 'Basic abc', 'Bearer', 'Bearer ', 'Bearer a b', `Bearer ${'x'.repeat(MAX_TOKEN_LENGTH + 1)}`])(
    'asks nobody about %p',
    async (header) => {
      const { authenticate, asked } = setUp();
      expect((await authenticate(header)).outcome).toBe('Unauthenticated');
      expect(asked).toEqual([]);
    },
  );

  it('asks once for many who wait, and remembers for a minute', async () => {
    const { authenticate, asked, clock } = setUp();
    await Promise.all(Array.from({ length: 50 }, () => authenticate('Bearer good')));
    await clock.advance(ACCEPTED_FOR_MS - 1);
    await authenticate('Bearer good');
    expect(asked).toHaveLength(1);
    await clock.advance(1);
    await authenticate('Bearer good');
    expect(asked).toHaveLength(2);
  });

  it('remembers a refusal for a shorter time', async () => {
    const { authenticate, asked, clock } = setUp(async () => ({ authenticated: false, reason: 'expired' }));
    expect(await authenticate('Bearer bad')).toMatchObject({
      outcome: 'Unauthenticated',
      message: expect.stringContaining('expired'),
    });
    await clock.advance(REFUSED_FOR_MS - 1);
    await authenticate('Bearer bad');
    expect(asked).toHaveLength(1);
    await clock.advance(1);
    await authenticate('Bearer bad');
    expect(asked).toHaveLength(2);
  });

  it('is unavailable while the API server is away, but for tokens that it remembers, and remembers no failure', async () => {
    let away = false;
    const { authenticate, asked } = setUp(async () => {
      if (away) throw new Error('POST /apis/authentication.k8s.io/v1/tokenreviews: connection refused');
      return proxyToken;
    });
    await authenticate('Bearer good');
    away = true;
    expect((await authenticate('Bearer good')).outcome).toBe('Accepted');
    expect(await authenticate('Bearer other')).toMatchObject({
      outcome: 'Unavailable',
      message: expect.stringContaining('connection refused'),
    });
    away = false;
    expect((await authenticate('Bearer other')).outcome).toBe('Accepted');
    expect(asked).toEqual(['good', 'other', 'other']);
  });

  it('asks about a bounded number of tokens at once', async () => {
    const answers: Array<(review: TokenReview) => void> = [];
    const { authenticate, asked } = setUp(() => new Promise((resolve) => answers.push(resolve)));
    const waiting = Array.from({ length: MAX_REVIEWS_AT_ONCE }, (_, index) =>
      authenticate(`Bearer t${index}`, `10.0.0.${index}`),
    );
    expect((await authenticate('Bearer one-more', '10.0.1.1')).outcome).toBe('Unavailable');
    expect(asked).toHaveLength(MAX_REVIEWS_AT_ONCE);
    for (const answer of answers) answer(proxyToken);
    await Promise.all(waiting);
    const later = authenticate('Bearer one-more');
    answers.at(-1)!(proxyToken);
    expect((await later).outcome).toBe('Accepted');
  });

  it('remembers a bounded number of tokens, the newest', async () => {
    const { authenticate, asked } = setUp();
    for (let index = 0; index <= MAX_REMEMBERED_VERDICTS; index += 1) await authenticate(`Bearer t${index}`);
    await authenticate(`Bearer t${MAX_REMEMBERED_VERDICTS}`);
    expect(asked).toHaveLength(MAX_REMEMBERED_VERDICTS + 1);
    await authenticate('Bearer t0');
    expect(asked).toHaveLength(MAX_REMEMBERED_VERDICTS + 2);
  });

  it('leaves room for the tokens of others while one peer shows made-up ones', async () => {
    const { authenticate, asked } = setUp((token) => (token === 'good' ? Promise.resolve(proxyToken) : new Promise(() => {})));
    for (let index = 0; index < MAX_REVIEWS_AT_ONCE; index += 1) void authenticate(`Bearer made-up-${index}`, '10.0.0.66');
    expect(asked).toHaveLength(MAX_REVIEWS_OF_ONE_PEER);
    expect((await authenticate('Bearer one-more', '10.0.0.66')).outcome).toBe('Unavailable');
    expect((await authenticate('Bearer good', '10.0.0.7')).outcome).toBe('Accepted');
  });

  it('forgets no token that is good for made-up ones', async () => {
    const { authenticate, asked } = setUp(async (token) =>
      token === 'good' ? proxyToken : { authenticated: false, reason: 'unknown' },
    );
    await authenticate('Bearer good');
    for (let index = 0; index <= MAX_REMEMBERED_VERDICTS; index += 1) await authenticate(`Bearer made-up-${index}`);
    await authenticate('Bearer good');
    expect(asked.filter((token) => token === 'good')).toHaveLength(1);
  });
});
