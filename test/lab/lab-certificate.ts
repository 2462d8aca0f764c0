import { issueAuthority, issueServing } from '../../operator/fleet/issue-certificate.ts';

export interface LabCertificate {
  /** What a server shows, PEM. */
  key: string;
  cert: string;
  /** Whoever takes this for an authority trusts the server; nobody else does. PEM. */
  ca: string;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** A certificate for the addresses of this machine, from an authority of its own. */
export async function createLabCertificate(now = Date.now()): Promise<LabCertificate> {
  const validity = { from: now - DAY_MS, until: now + DAY_MS };
  const authority = await issueAuthority(validity);
  const serving = await issueServing(authority, ['127.0.0.1', 'localhost'], validity);
  return { key: serving.key, cert: serving.certificate, ca: authority.certificate };
}
