import { EVENT_ID, type Event, getScalarValue } from 'js-yaml';
import type { FieldPath } from '../../crds/problem.ts';

interface Place {
  offset: number;
  children?: Map<string, Place>;
}

export interface FieldLocator {
  /** Where the field begins (a mapping's: where its key does), or the nearest thing above it that is there. */
  offsetOf(path: FieldPath): number;
}

/** Where every field of every document stands, read from the events that js-yaml parses a text into. */
export function locateFields(events: readonly Event[], source: string): FieldLocator[] {
  const locators: FieldLocator[] = [];
  let next = 0;
  let anchors = new Map<string, Place>();

  /** Takes the events of one node. `from` is where its key began, when it has one. */
  const takeNode = (from?: number): Place => {
    const event = events[next++]!;
    switch (event.type) {
      case EVENT_ID.SCALAR:
        return remember(event, { offset: from ?? event.valueStart });
      case EVENT_ID.ALIAS: {
        const place: Place = { offset: from ?? event.anchorStart };
        const anchored = anchors.get(source.slice(event.anchorStart, event.anchorEnd));
        if (anchored?.children !== undefined) place.children = anchored.children;
        return place;
      }
      case EVENT_ID.SEQUENCE: {
        const place = remember(event, { offset: from ?? event.start, children: new Map() });
        for (let index = 0; events[next]!.type !== EVENT_ID.POP; index++) place.children!.set(String(index), takeNode());
        next++;
        return place;
      }
      case EVENT_ID.MAPPING: {
        const place = remember(event, { offset: from ?? event.start, children: new Map() });
        while (events[next]!.type !== EVENT_ID.POP) {
          const key = events[next]!;
          const { offset } = takeNode();
          const name = key.type === EVENT_ID.SCALAR ? getScalarValue(source, key) : '';
          place.children!.set(name, takeNode(offset));
        }
        next++;
        return place;
      }
      default:
        throw new TypeError(`event ${event.type} does not begin a node`);
    }
  };

  const remember = (event: { anchorStart: number; anchorEnd: number }, place: Place): Place => {
    if (event.anchorStart >= 0) anchors.set(source.slice(event.anchorStart, event.anchorEnd), place);
    return place;
  };

  while (next < events.length) {
    next++;
    anchors = new Map();
    let root: Place = { offset: 0 };
    while (events[next]!.type !== EVENT_ID.POP) root = takeNode();
    next++;
    locators.push({ offsetOf: (path) => nearest(root, path) });
  }
  return locators;
}

function nearest(root: Place, path: FieldPath): number {
  let place = root;
  for (const step of path) {
    const child = place.children?.get(String(step));
    if (child === undefined) break;
    place = child;
  }
  return place.offset;
}
