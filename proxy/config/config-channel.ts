/** A revision that the operator pushed, and when: milliseconds of a clock that never jumps. */
export interface ConfigPush {
  revision: string;
  at: number;
}

/** Pushes that are remembered: more than happen while a ConfigMap is on its way. */
export const MAX_REMEMBERED_PUSHES = 64;

/** What the config file needs to know of the channel, to know when it is the newer of the two. */
export interface ConfigChannel {
  /** Whether the config stream is open. */
  connected(): boolean;
  /** What the channel has pushed since the start of the process, oldest first, refused revisions too. At most `MAX_REMEMBERED_PUSHES`. */
  pushes(): readonly ConfigPush[];
}
