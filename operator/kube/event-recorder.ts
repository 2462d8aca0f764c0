import type { KubeObject } from './kube-object.ts';

export interface EventNote {
  type: 'Normal' | 'Warning';
  /** PascalCase, at most 128 characters: why, for machines. `FailedOver`. */
  reason: string;
  /** PascalCase, at most 128 characters: what was done. Default: the reason. */
  action?: string;
  /** For people; cut at 1024 bytes. Must not hold a key. */
  message: string;
}

/** Writes Events that `kubectl describe` shows. Recording returns at once and never fails; what can't be written is logged and counted. */
export interface EventRecorder {
  record(about: KubeObject, note: EventNote): void;
  /** Begins to write, until `signal`; then writes what is left, for a bounded time. */
  run(signal: AbortSignal): Promise<void>;
}
