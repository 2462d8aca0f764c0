/** What the config file needs to know of the channel to the operator, to know which of the two is newer. */
export interface ConfigChannel {
  /** Whether the config stream is open. */
  connected(): boolean;
  /** When the channel last brought a revision other than the one before, refused or not. Milliseconds of a clock that never jumps. */
  lastPushAt(): number | undefined;
}
