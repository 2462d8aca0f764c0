/** How long a ConfigMap may take to reach its pods: kubelet syncs each minute, with a cache of up to another; and room. */
export const LATE_COPY_WINDOW_MS = 5 * 60_000;

export interface ConfigFileFacts {
  fileRevision: string;
  /** When the file was first seen to have this content. Same clock as `lastPushAt`. */
  seenAt: number;
  servedRevision: string | undefined;
  channelConnected: boolean;
  lastPushAt: number | undefined;
}

export type ConfigFileDecision =
  /** It is the news. */
  | 'Apply'
  /** It is what is served. */
  | 'Same'
  /** The channel is open, and what it pushes wins. */
  | 'ChannelDecides'
  /** It may be older than what the channel pushed. */
  | 'LateCopy';

/**
 * Which of the two ways of a config wins. The operator pushes a config and writes the ConfigMap at once, but a ConfigMap is a minute or two
 * on its way to the file; so:
 * 1. While the channel is open, only the channel decides. The file is looked at again when the channel is away.
 * 2. While it is away, a file that is not what is served is applied: at boot, and at each change.
 * 3. But a change that came before the channel's last push, or within the time that a ConfigMap takes after it, is left alone for good:
 *    it may be a copy of something older, and a proxy must not go back. What that misses comes with the next change, or the channel.
 */
export function decideConfigFile(facts: ConfigFileFacts): ConfigFileDecision {
  const { fileRevision, seenAt, servedRevision, channelConnected, lastPushAt } = facts;
  if (channelConnected) return 'ChannelDecides';
  if (fileRevision === servedRevision) return 'Same';
  if (lastPushAt !== undefined && seenAt - lastPushAt < LATE_COPY_WINDOW_MS) return 'LateCopy';
  return 'Apply';
}
