/**
 * Why the channel to the operator does not work now. All of it is tried again: the proxy serves on with what it has.
 *
 * - `FLEET_FILES`: the token or the CA can't be read from its file
 * - `FLEET_UNREACHABLE`: no connection, or it broke
 * - `FLEET_UNTRUSTED`: whoever answered has no certificate that the CA file vouches for; it was shown no token
 * - `FLEET_REFUSED`: the operator answered, and said no (`status`)
 * - `FLEET_SILENT`: nothing came in time
 * - `FLEET_MESSAGE`: what came is not what the contract says
 */
export type ChannelErrorCode =
  | 'FLEET_FILES'
  | 'FLEET_UNREACHABLE'
  | 'FLEET_UNTRUSTED'
  | 'FLEET_REFUSED'
  | 'FLEET_SILENT'
  | 'FLEET_MESSAGE';

/** Node names each way in which a certificate can be wrong: `CERT_HAS_EXPIRED`, `UNABLE_TO_VERIFY_LEAF_SIGNATURE`, … */
const CERTIFICATE_PROBLEM = /CERT|LEAF_SIGNATURE/;

export class ChannelError extends Error {
  readonly code: ChannelErrorCode;
  /** HTTP status of a refusal. */
  readonly status: number | undefined;

  constructor(code: ChannelErrorCode, message: string, { cause, status }: { cause?: unknown; status?: number } = {}) {
    super(message, { cause });
    this.name = 'ChannelError';
    this.code = code;
    this.status = status;
  }
}

/** For what the platform throws: a socket or TLS error. */
export function asChannelError(error: unknown): ChannelError {
  if (error instanceof ChannelError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (CERTIFICATE_PROBLEM.test(String((error as NodeJS.ErrnoException | undefined)?.code))) {
    return new ChannelError(
      'FLEET_UNTRUSTED',
      `the operator's certificate is not one that the CA file vouches for (${message}): a new CA reaches the file within minutes`,
      { cause: error },
    );
  }
  return new ChannelError('FLEET_UNREACHABLE', `the operator can't be reached: ${message}`, { cause: error });
}
