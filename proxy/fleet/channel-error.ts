/**
 * Why the channel to the operator does not work now. All of it is tried again: the proxy serves on with what it has.
 *
 * - `FLEET_FILES`: the token or the CA can't be read from its file
 * - `FLEET_UNREACHABLE`: no connection, or it broke; a certificate that the CA file does not vouch for is one of these
 * - `FLEET_REFUSED`: the operator answered, and said no (`status`)
 * - `FLEET_SILENT`: nothing came in time
 * - `FLEET_MESSAGE`: what came is not what the contract says
 */
export type ChannelErrorCode = 'FLEET_FILES' | 'FLEET_UNREACHABLE' | 'FLEET_REFUSED' | 'FLEET_SILENT' | 'FLEET_MESSAGE';

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
  return new ChannelError('FLEET_UNREACHABLE', `the operator can't be reached: ${message}`, { cause: error });
}
