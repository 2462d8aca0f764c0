import { createHash } from 'node:crypto';
import type { EventNote } from './event-recorder.ts';
import type { KubeObject, ObjectName } from './kube-object.ts';
import { microTime } from './lease.ts';
import { RESOURCES } from './resources.ts';

/** `reportingController` of all Events of this operator. */
export const REPORTING_CONTROLLER = 'understudy.dev/operator';
/** Limits of the API: a longer note or instance would be refused. */
const MAX_NOTE_BYTES = 1_024;
const MAX_WORD_LENGTH = 128;

/** Events that say the same of the same object: one Event with a count. */
export interface EventSeries {
  name: Required<ObjectName>;
  about: KubeObject;
  note: EventNote;
  first: number;
  last: number;
  count: number;
  /** Count that the API server knows. 0: it has not been created. */
  written: number;
  /** When it was written last, in wall-clock milliseconds. */
  writtenAt: number;
}

/** What must be equal for two Events to be one series. */
export function seriesKey(about: KubeObject, note: EventNote): string {
  return JSON.stringify([about.kind, about.metadata.namespace, about.metadata.name, about.metadata.uid, note]);
}

export function beginSeries(about: KubeObject, note: EventNote, instance: string, now: number): EventSeries {
  // Unique, and the same for a second try of the same Event: a create whose answer was lost is then not written twice.
  const suffix = createHash('sha256')
    .update(`${seriesKey(about, note)} ${instance} ${now}`)
    .digest('hex')
    .slice(0, 16);
  // A cluster-scoped object's Events stand in `default`, where kubectl looks for them.
  const name = { namespace: about.metadata.namespace ?? 'default', name: `${about.metadata.name.slice(0, 230)}.${suffix}` };
  return { name, about, note, first: now, last: now, count: 1, written: 0, writtenAt: now };
}

/** The Event as it is created. */
export function eventObject({ name, about, note, first }: EventSeries, instance: string): KubeObject {
  const { apiVersion, kind } = RESOURCES.Event;
  const { namespace, name: regarding, uid, resourceVersion } = about.metadata;
  return {
    apiVersion,
    kind,
    metadata: { ...name },
    eventTime: microTime(first),
    type: note.type,
    reason: note.reason.slice(0, MAX_WORD_LENGTH),
    action: (note.action ?? note.reason).slice(0, MAX_WORD_LENGTH),
    note: cutToBytes(note.message, MAX_NOTE_BYTES),
    regarding: { apiVersion: about.apiVersion, kind: about.kind, namespace, name: regarding, uid, resourceVersion },
    reportingController: REPORTING_CONTROLLER,
    reportingInstance: instance.slice(0, MAX_WORD_LENGTH),
  };
}

/** How often it was said so far, as a merge patch. */
export function seriesPatch({ count, last }: EventSeries): object {
  return { series: { count, lastObservedTime: microTime(last) } };
}

function cutToBytes(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= maxBytes) return text;
  // A character that was cut through becomes U+FFFD, which is three bytes: leave room, and drop it.
  return `${bytes
    .subarray(0, maxBytes - 3)
    .toString('utf8')
    .replace(/\uFFFD+$/, '')}…`;
}
