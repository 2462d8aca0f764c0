/** A config that can't be served. What was served before goes on. */
export class ConfigRefusedError extends Error {
  readonly code = 'CONFIG_REFUSED';
  /** Revision of the refused config, where it could be read. */
  readonly revision: string | undefined;

  constructor(message: string, revision: string | undefined, cause?: unknown) {
    super(message, { cause });
    this.name = 'ConfigRefusedError';
    this.revision = revision;
  }
}
