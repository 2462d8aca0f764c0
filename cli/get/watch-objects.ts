import { setTimeout as delay } from 'node:timers/promises';
import { PRINTER_COLUMNS } from '../../crds/printer-columns.ts';
import { EXIT } from '../cli-error.ts';
import type { Terminal } from '../terminal.ts';
import { fetchObjects, type ServedObject } from './fetch-objects.ts';
import { layOut } from './lay-out.ts';
import { pickObjects } from './pick-objects.ts';
import type { ResourceKind } from './resource-kinds.ts';
import { headOf, newsOf, rowOf, shownColumns } from './table-rows.ts';

/** Often enough to see a failover happen; each look is one small request to this machine. */
const LOOK_INTERVAL_MS = 250;

export interface WatchOptions {
  admin: URL;
  kind: ResourceKind;
  name: string | undefined;
  wide: boolean;
  terminal: Terminal;
}

/** Prints the table, then a row for each object whenever it has news, until it is interrupted or `understudy run` is gone. */
export async function watchObjects({ admin, kind, name, wide, terminal }: WatchOptions): Promise<number> {
  const interrupted = terminal.interruption();
  const columns = shownColumns(PRINTER_COLUMNS[kind.kind], wide);
  const widths: number[] = [];
  const shown = new Map<string, string>();
  let begun = false;
  const show = (objects: readonly ServedObject[]) => {
    const news = objects.filter((object) => shown.get(object.metadata.name) !== newsOf(object, columns));
    for (const object of news) shown.set(object.metadata.name, newsOf(object, columns));
    const rows = news.map((object) => rowOf(object, object.metadata.name, columns, Date.now()));
    for (const line of layOut(begun ? rows : [headOf(columns), ...rows], widths)) terminal.print(line);
    begun = true;
  };
  try {
    for (;;) {
      show(pickObjects(await fetchObjects(admin, kind, interrupted), kind, name));
      await delay(LOOK_INTERVAL_MS, undefined, { signal: interrupted });
    }
  } catch (error) {
    if (interrupted.aborted) return EXIT.ok;
    throw error;
  }
}
