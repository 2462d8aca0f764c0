import { text } from 'node:stream/consumers';
import { EXIT, usageError } from '../cli-error.ts';
import { namespacesOf } from '../input/choose-namespace.ts';
import { compileResources } from '../input/compile-resources.ts';
import { compareProblems, type FileProblem, formatProblem } from '../input/file-problem.ts';
import { findFiles } from '../input/find-files.ts';
import { DEFAULT_NAMESPACE, readResources } from '../input/read-resources.ts';
import { readSourceFile, type SourceFile } from '../input/read-source-file.ts';
import { readArguments } from '../read-arguments.ts';
import type { Terminal } from '../terminal.ts';

const HELP = `Check YAML files by the schema and the rules that the API server would check, without a cluster.

Usage: understudy validate -f FILE|DIR... [-n NAMESPACE] [-o json]

  -f, --filename PATH   a file, a directory, or - for standard input; may be given more than once, and further paths may follow
  -n, --namespace NAME  namespace of what names none, by default ${DEFAULT_NAMESPACE}
  -o, --output FORMAT   json: the problems as a list, for other programs

Errors are what the API server would refuse: file:line: kind/name: field: message (value). Warnings are what it would accept and a
condition would tell later: an endpoint or region that is not in the files, a model name that two routes claim, a chain within one
failure domain, a model that its endpoint does not list. The exit code is 1 with errors, and 0 with warnings alone.

Examples:
  understudy validate -f manifests/samples
  kubectl get modelroutes,providerendpoints -o yaml | understudy validate -f -`;

const STDIN = '-';

/** `understudy validate`: read → check each object → compile each namespace → tell. */
export async function validate(argv: readonly string[], terminal: Terminal): Promise<number> {
  const { values, positionals } = readArguments('validate', argv, {
    filename: { type: 'string', short: 'f', multiple: true },
    namespace: { type: 'string', short: 'n', default: DEFAULT_NAMESPACE },
    output: { type: 'string', short: 'o', default: 'text' },
  });
  if (values.help) {
    terminal.print(HELP);
    return EXIT.ok;
  }
  if (values.filename === undefined) throw usageError('name what to check, for example -f manifests/samples', 'validate');
  if (values.output !== 'text' && values.output !== 'json')
    throw usageError(`--output is json, not "${values.output}"`, 'validate');

  const resources = readResources(await readSources([...values.filename, ...positionals], terminal), values.namespace);
  const warnings = namespacesOf(resources).flatMap((namespace) => compileResources(resources, namespace).warnings);
  const problems = [...resources.problems, ...warnings].sort(compareProblems);
  const errors = problems.filter(({ severity }) => severity === 'Error').length;

  if (values.output === 'json') terminal.print(JSON.stringify(problems, undefined, 2));
  else {
    for (const problem of problems) terminal.print(formatProblem(problem));
    for (const note of resources.notes) terminal.tell(note);
    terminal.tell(summary(resources.routes.length + resources.endpoints.length + resources.secrets.length, errors, warnings));
  }
  return errors === 0 ? EXIT.ok : EXIT.failed;
}

async function readSources(paths: readonly string[], terminal: Terminal): Promise<SourceFile[]> {
  const files = await findFiles(paths.filter((path) => path !== STDIN));
  const sources = await Promise.all(files.map(readSourceFile));
  return paths.includes(STDIN) ? [...sources, { name: '<stdin>', text: await text(terminal.stdin) }] : sources;
}

function summary(valid: number, errors: number, warnings: readonly FileProblem[]): string {
  const count = (number: number, what: string) => `${number} ${what}${number === 1 ? '' : 's'}`;
  return `${count(valid, 'valid object')}, ${count(errors, 'error')}, ${count(warnings.length, 'warning')}`;
}
