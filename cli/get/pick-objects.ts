import { GROUP } from '../../crds/names.ts';
import { CliError } from '../cli-error.ts';
import type { ServedObject } from './fetch-objects.ts';
import type { ResourceKind } from './resource-kinds.ts';

/** What was asked for by name, or everything. */
export function pickObjects(
  objects: readonly ServedObject[],
  { plural }: ResourceKind,
  name: string | undefined,
): ServedObject[] {
  if (name === undefined) return [...objects];
  const object = objects.find(({ metadata }) => metadata.name === name);
  if (object === undefined) {
    const there = objects.map(({ metadata }) => metadata.name).join(', ');
    throw new CliError('NOT_FOUND', `${plural}.${GROUP} "${name}" is not there; there is ${there || 'none'}`);
  }
  return [object];
}
