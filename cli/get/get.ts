import { dump } from 'js-yaml';
import { KINDS } from '../../crds/kinds.ts';
import { GROUP } from '../../crds/names.ts';
import { PRINTER_COLUMNS } from '../../crds/printer-columns.ts';
import { EXIT, usageError } from '../cli-error.ts';
import { readArguments } from '../read-arguments.ts';
import { DEFAULT_ADMIN } from '../run/run-options.ts';
import type { Terminal } from '../terminal.ts';
import { fetchObjects, type ServedObject } from './fetch-objects.ts';
import { layOut } from './lay-out.ts';
import { pickObjects } from './pick-objects.ts';
import { namesOf, type ResourceKind, readResourceKinds } from './resource-kinds.ts';
import { headOf, rowOf, shownColumns } from './table-rows.ts';
import { watchObjects } from './watch-objects.ts';

const HELP = `Show what a running "understudy run" knows, in the form that kubectl has for a cluster.

Usage: understudy get modelroutes|providerendpoints [NAME] [-o wide|yaml|json] [-w] [--admin http://${DEFAULT_ADMIN}]

${Object.values(KINDS)
  .map((kind) => `  ${kind.plural.padEnd(20)}also ${namesOf(kind).slice(1).join(', ')}`)
  .join('\n')}
  Several kinds are given with a comma between them.

  -o, --output FORMAT   wide: more columns; yaml or json: everything
  -w, --watch           go on, and print a line whenever something has changed, until Ctrl-C
      --admin URL       the admin address of "understudy run", by default http://${DEFAULT_ADMIN}

Examples:
  understudy get modelroutes -w
  understudy get mroute,pep -o wide
  understudy get modelroute proposals -o yaml`;

const OUTPUTS = ['table', 'wide', 'yaml', 'json'] as const;
type Output = (typeof OUTPUTS)[number];

/** `understudy get`: fetch from the admin address, and print as kubectl would. */
export async function get(argv: readonly string[], terminal: Terminal): Promise<number> {
  const { values, positionals } = readArguments('get', argv, {
    output: { type: 'string', short: 'o', default: 'table' },
    watch: { type: 'boolean', short: 'w', default: false },
    admin: { type: 'string', default: `http://${DEFAULT_ADMIN}` },
  });
  if (values.help) {
    terminal.print(HELP);
    return EXIT.ok;
  }
  const [kindNames, name, ...more] = positionals;
  if (kindNames === undefined) throw usageError('say what to get: modelroutes or providerendpoints', 'get');
  if (more.length > 0) throw usageError(`one name at a time, not also ${more.join(', ')}`, 'get');
  const output = OUTPUTS.find((each) => each === values.output);
  if (output === undefined) throw usageError(`--output is one of wide, yaml, json, not "${values.output}"`, 'get');
  const kinds = readResourceKinds(kindNames);
  const admin = readAdmin(values.admin);

  if (values.watch) {
    const [kind, ...others] = kinds;
    if (others.length > 0 || (output !== 'table' && output !== 'wide')) {
      throw usageError('--watch follows one kind, as a table', 'get');
    }
    return watchObjects({ admin, kind: kind!, name, wide: output === 'wide', terminal });
  }
  const found = await Promise.all(
    kinds.map(async (kind) => ({ kind, objects: pickObjects(await fetchObjects(admin, kind), kind, name) })),
  );
  for (const line of present(found, output, name !== undefined, Date.now())) terminal.print(line);
  if (output !== 'yaml' && output !== 'json' && found.every(({ objects }) => objects.length === 0))
    terminal.tell('No resources found');
  return EXIT.ok;
}

function present(
  found: readonly { kind: ResourceKind; objects: readonly ServedObject[] }[],
  output: Output,
  single: boolean,
  now: number,
): string[] {
  const objects = found.flatMap((each) => each.objects);
  const whole =
    single && objects.length === 1
      ? objects[0]
      : { apiVersion: 'v1', kind: 'List', metadata: { resourceVersion: '' }, items: objects };
  switch (output) {
    case 'json':
      return [JSON.stringify(whole, undefined, 4)];
    case 'yaml':
      return [dump(whole, { sortKeys: true, noRefs: true, lineWidth: -1, seqNoIndent: true, quoteStyle: 'double' }).trimEnd()];
    case 'table':
    case 'wide':
      return found
        .filter((each) => each.objects.length > 0)
        .flatMap(({ kind, objects: some }, index) => {
          const columns = shownColumns(PRINTER_COLUMNS[kind.kind], output === 'wide');
          // As kubectl does, names tell their kind where several kinds are shown.
          const prefix = found.length > 1 ? `${kind.kind.toLowerCase()}.${GROUP}/` : '';
          const rows = some.map((object) => rowOf(object, `${prefix}${object.metadata.name}`, columns, now));
          return [...(index === 0 ? [] : ['']), ...layOut([headOf(columns), ...rows])];
        });
  }
}

function readAdmin(text: string): URL {
  const url = URL.parse(/^https?:\/\//.test(text) ? text : `http://${text}`);
  if (url === null) throw usageError(`--admin takes a URL such as http://${DEFAULT_ADMIN}, not "${text}"`, 'get');
  return url;
}
