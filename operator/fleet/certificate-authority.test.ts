import { X509Certificate } from 'node:crypto';
import pino from 'pino';
import { createMemoryCaStore } from '../../test/fleet/memory-ca-store.ts';
import { type Clock, systemClock } from '../kube/clock.ts';
import { FakeClock } from '../kube/fake-clock.ts';
import { CA_LIFETIME_MS, CA_OVERLAP_MS, CaUnreadableError } from './ca-state.ts';
import { CA_CHECK_INTERVAL_MS, createCertificateAuthority, operatorHosts, SERVING_LIFETIME_MS } from './certificate-authority.ts';

const logger = pino({ level: 'silent' });
const hosts = [...operatorHosts('understudy-operator', 'understudy-system'), '127.0.0.1'];
const DAY = 24 * 60 * 60_000;

function setUp() {
  const timers = new FakeClock();
  let passed = 0;
  const clock: Clock = {
    ...systemClock,
    now: () => Date.UTC(2026, 10, 23) + passed,
    schedule: (...call) => timers.schedule(...call),
  };
  /** Moves the date alone: two years hold a hundred thousand checks. */
  const pass = (milliseconds: number) => {
    passed += milliseconds;
  };
  const store = createMemoryCaStore();
  const create = () => createCertificateAuthority({ store, hosts, clock, logger });
  return { timers, pass, store, create };
}

const certificates = (bundle: string) =>
  bundle.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g)!.map((pem) => new X509Certificate(pem));

describe('the certificate authority of the fleet channel', () => {
  it('makes a CA once, and serves for every name of the Service and every address given', async () => {
    const { store, create } = setUp();
    const authority = create();
    await authority.start();
    const [ca, ...others] = certificates(authority.caBundle());
    const serving = new X509Certificate(authority.serving().certificate);
    expect(others).toEqual([]);
    expect(ca!.ca).toBe(true);
    expect(serving.ca).toBe(false);
    expect(serving.verify(ca!.publicKey)).toBe(true);
    expect(serving.checkIssued(ca!)).toBe(true);
    expect(serving.subjectAltName).toBe(
      'DNS:understudy-operator.understudy-system.svc, DNS:understudy-operator.understudy-system.svc.cluster.local, ' +
        'DNS:understudy-operator.understudy-system, IP Address:127.0.0.1',
    );
    const second = create();
    await second.start();
    expect(second.caBundle()).toBe(authority.caBundle());
    expect(store.writes).toBe(1);
    authority.stop();
    second.stop();
  });

  it('is one CA, when two operators start at once', async () => {
    const { store, create } = setUp();
    const operators = [create(), create(), create()];
    await Promise.all(operators.map((operator) => operator.start()));
    expect(new Set(operators.map((operator) => operator.caBundle())).size).toBe(1);
    expect(store.writes).toBe(1);
    for (const operator of operators) operator.stop();
  });

  it('renews the serving certificate at two thirds of its life, and tells', async () => {
    const { pass, create } = setUp();
    const authority = create();
    await authority.start();
    const first = authority.serving();
    let told = 0;
    authority.onChange(() => {
      told += 1;
    });
    pass(SERVING_LIFETIME_MS / 2);
    await authority.check();
    expect(authority.serving()).toBe(first);
    expect(told).toBe(0);
    pass(SERVING_LIFETIME_MS / 6);
    await authority.check();
    expect(authority.serving()).not.toEqual(first);
    expect(told).toBe(1);
    authority.stop();
  });

  it('changes the CA with an overlap: the new one is trusted before it signs, the old one after it has', async () => {
    const { pass, create } = setUp();
    const authority = create();
    const bystander = create();
    await Promise.all([authority.start(), bystander.start()]);
    const [old] = certificates(authority.caBundle());
    const signer = () => {
      const serving = new X509Certificate(authority.serving().certificate);
      return certificates(authority.caBundle()).find((ca) => serving.verify(ca.publicKey))!.fingerprint;
    };
    pass((CA_LIFETIME_MS * 2) / 3 + DAY);
    await authority.check();
    const [stillSigning, announced] = certificates(authority.caBundle());
    expect(stillSigning!.fingerprint).toBe(old!.fingerprint);
    expect(announced!.fingerprint).not.toBe(old!.fingerprint);
    expect(signer()).toBe(old!.fingerprint);

    pass(CA_OVERLAP_MS);
    await authority.check();
    expect(signer()).toBe(announced!.fingerprint);
    expect(certificates(authority.caBundle()).map((ca) => ca.fingerprint)).toEqual([announced!.fingerprint, old!.fingerprint]);
    await bystander.check();
    expect(bystander.caBundle()).toBe(authority.caBundle());

    pass(CA_OVERLAP_MS);
    await authority.check();
    expect(certificates(authority.caBundle()).map((ca) => ca.fingerprint)).toEqual([announced!.fingerprint]);
    authority.stop();
    bystander.stop();
  });

  it('replaces a CA that ended while no operator ran', async () => {
    const { pass, create } = setUp();
    const before = create();
    await before.start();
    before.stop();
    pass(CA_LIFETIME_MS);
    const after = create();
    await after.start();
    expect(after.caBundle()).not.toBe(before.caBundle());
    expect(certificates(after.caBundle())).toHaveLength(1);
    after.stop();
  });

  it('goes on with its certificates while the API server is away, and looks again', async () => {
    const { timers, store, create } = setUp();
    const authority = create();
    await authority.start();
    const bundle = authority.caBundle();
    store.away = new Error('connection refused');
    await expect(authority.check()).rejects.toThrow('connection refused');
    await timers.advance(2 * CA_CHECK_INTERVAL_MS);
    expect(authority.caBundle()).toBe(bundle);
    expect(store.reads).toBe(5);
    authority.stop();
    await timers.advance(2 * CA_CHECK_INTERVAL_MS);
    expect(store.reads).toBe(5);
  });

  it.each([
    ['no certificate', { 'ca.crt': 'not PEM', 'ca.key': 'not PEM' }],
    ['nothing', {}],
  ])('leaves a Secret with %s alone and says what to do', async (_sentence, data) => {
    const { store, create } = setUp();
    store.write(data);
    await expect(create().start()).rejects.toThrow(CaUnreadableError);
    await expect(create().start()).rejects.toThrow(/delete its Secret/);
    expect(store.data()).toBe(data);
  });

  it('refuses a key that is not the one of its certificate', async () => {
    const { store, create } = setUp();
    const one = setUp();
    await one.create().start();
    await create().start();
    store.write({ ...store.data(), 'ca.key': one.store.data()!['ca.key']! });
    await expect(create().start()).rejects.toThrow(/private key is not the one/);
  });
});
