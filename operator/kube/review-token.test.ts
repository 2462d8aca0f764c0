import { readTokenReview } from './review-token.ts';

const user = { username: 'system:serviceaccount:sales:proxy', uid: 'u', groups: ['system:authenticated'] };

describe('readTokenReview', () => {
  it('refuses a token whose audience nobody confirmed, as an authenticator does that knows nothing of audiences', () => {
    expect(readTokenReview({ status: { authenticated: true, user } }, ['understudy'])).toEqual({
      authenticated: false,
      reason: 'the token is not made for the audience understudy',
    });
    expect(readTokenReview({ status: { authenticated: true, audiences: ['other'], user } }, ['understudy']).authenticated).toBe(
      false,
    );
  });

  it('gives the reason of the API server for a refusal', () => {
    expect(readTokenReview({ status: { authenticated: false, error: 'token has expired' } }, ['understudy'])).toEqual({
      authenticated: false,
      reason: 'token has expired',
    });
    expect(readTokenReview({}, ['understudy']).authenticated).toBe(false);
  });

  it('knows a ServiceAccount by its user name, and a person as none', () => {
    const audiences = ['understudy'];
    expect(readTokenReview({ status: { authenticated: true, audiences, user } }, audiences)).toEqual({
      authenticated: true,
      ...user,
      audiences,
      serviceAccount: { namespace: 'sales', name: 'proxy' },
    });
    const person = { username: 'anna', groups: [] };
    expect(readTokenReview({ status: { authenticated: true, audiences, user: person } }, audiences)).not.toHaveProperty(
      'serviceAccount',
    );
  });
});
