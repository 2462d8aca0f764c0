import 'reflect-metadata';
import { createPrivateKey, type webcrypto, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import * as x509 from '@peculiar/x509';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const KEY_USAGES: ReadonlyArray<'sign' | 'verify'> = ['sign', 'verify'];

/** Certificates begin this much in the past: a node whose clock is a little behind must not refuse a new one. */
export const CLOCK_SKEW_MS = 5 * 60_000;

/** A certificate with its private key, both PEM. */
export interface KeyPair {
  certificate: string;
  key: string;
}

/** Milliseconds since the epoch. */
export interface Validity {
  from: number;
  until: number;
}

/** When a PEM certificate begins and ends. */
export function validityOf(certificate: string): Validity {
  const parsed = new X509Certificate(certificate);
  return { from: parsed.validFromDate.getTime(), until: parsed.validToDate.getTime() };
}

/** Throws when the two are unreadable or do not belong together. */
export function assertKeyPair({ certificate, key }: KeyPair): void {
  if (!new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key))) {
    throw new Error('the private key is not the one of the certificate');
  }
}

/** A self-signed CA. Each has a name of its own, so that two that are trusted at once are never mistaken for one another. */
export async function issueAuthority(validity: Validity): Promise<KeyPair> {
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, [...KEY_USAGES]);
  const serialNumber = randomSerial();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber,
    name: [{ CN: [`understudy-ca-${serialNumber.slice(0, 8)}`] }],
    ...dates(validity),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: certificate.toString('pem'), key: await privateKeyPem(keys.privateKey) };
}

/** A serving certificate for these DNS names and IP addresses. */
export async function issueServing(authority: KeyPair, hosts: readonly string[], validity: Validity): Promise<KeyPair> {
  const issuer = new x509.X509Certificate(authority.certificate);
  const signingKey = await crypto.subtle.importKey(
    'pkcs8',
    new Uint8Array(createPrivateKey(authority.key).export({ type: 'pkcs8', format: 'der' })),
    ALGORITHM,
    false,
    ['sign'],
  );
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, [...KEY_USAGES]);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: randomSerial(),
    subject: [{ CN: ['understudy-operator'] }],
    issuer: issuer.subjectName,
    ...dates(validity),
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(
        hosts.map((host) => (isIP(host) ? { type: 'ip' as const, value: host } : { type: 'dns' as const, value: host })),
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ],
  });
  return { certificate: certificate.toString('pem'), key: await privateKeyPem(keys.privateKey) };
}

async function privateKeyPem(key: webcrypto.CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY');
}

function dates({ from, until }: Validity): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(from), notAfter: new Date(until) };
}

/** 16 random bytes. The first bit is cleared, for a serial number is positive; the second set, so that no zero byte leads it. */
function randomSerial(): string {
  const bytes = Buffer.from(crypto.getRandomValues(new Uint8Array(16)));
  bytes[0] = (bytes[0]! & 0x3f) | 0x40;
  return bytes.toString('hex');
}
