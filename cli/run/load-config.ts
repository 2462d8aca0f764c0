import { createHash } from 'node:crypto';
import { CliError } from '../cli-error.ts';
import { chooseNamespace } from '../input/choose-namespace.ts';
import { type CompiledNamespace, compileResources } from '../input/compile-resources.ts';
import { compareProblems, type FileProblem } from '../input/file-problem.ts';
import { findFiles } from '../input/find-files.ts';
import { DEFAULT_NAMESPACE, type Located, type Resources, readResources } from '../input/read-resources.ts';
import { readSourceFile, type SourceFile } from '../input/read-source-file.ts';
import type { ObjectHistory, Stampable } from './object-history.ts';

/** What the files say, when they can be used. */
export interface LoadedConfig extends CompiledNamespace {
  namespace: string;
  /** Only what is of that namespace. */
  resources: Resources;
}

/** What was seen of both kinds before. */
export interface FileHistory {
  routes: ObjectHistory;
  endpoints: ObjectHistory;
}

/** The files can't be used. Every problem is in it, not only the first. */
export class FilesRefusedError extends Error {
  readonly code = 'FILES_REFUSED';
  readonly problems: readonly FileProblem[];

  constructor(problems: readonly FileProblem[]) {
    super(`${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}`);
    this.name = 'FilesRefusedError';
    this.problems = problems;
  }
}

export async function readSourceFiles(paths: readonly string[]): Promise<SourceFile[]> {
  return Promise.all((await findFiles(paths)).map(readSourceFile));
}

/** Equal for equal files. A hash, since the text holds keys that need not be kept any longer. */
export function fingerprint(files: readonly SourceFile[]): string {
  const hash = createHash('sha256');
  for (const { name, text } of files) hash.update(JSON.stringify([name, text]));
  return hash.digest('hex');
}

/** Files → what is served. Throws a `FilesRefusedError`, or a `CliError` where the command line has to decide something. */
export function loadConfig(
  files: readonly SourceFile[],
  wantedNamespace: string | undefined,
  history: FileHistory,
): LoadedConfig {
  const all = readResources(files, wantedNamespace ?? DEFAULT_NAMESPACE);
  if (all.problems.length > 0) throw new FilesRefusedError([...all.problems].sort(compareProblems));
  const namespace = chooseNamespace(all, wantedNamespace);
  const resources = stamped(inNamespace(all, namespace), namespace, history);
  if (resources.routes.length === 0) throw nothingToServe(namespace, all);
  return { ...compileResources(resources, namespace), namespace, resources };
}

function inNamespace(all: Resources, namespace: string): Resources {
  const here = <T extends { namespace: string }>(list: readonly T[]) => list.filter((entry) => entry.namespace === namespace);
  return { ...all, routes: here(all.routes), endpoints: here(all.endpoints), secrets: here(all.secrets) };
}

function stamped(resources: Resources, namespace: string, history: FileHistory): Resources {
  const stamp = <T extends Stampable>(entries: readonly Located<T>[], { stamp }: ObjectHistory) => {
    const objects = stamp(
      entries.map(({ object }) => object),
      namespace,
    );
    return entries.map((entry, index) => ({ ...entry, object: objects[index]! }));
  };
  return {
    ...resources,
    routes: stamp(resources.routes, history.routes),
    endpoints: stamp(resources.endpoints, history.endpoints),
  };
}

function nothingToServe(namespace: string, { routes }: Resources): CliError {
  const elsewhere = [...new Set(routes.map((route) => route.namespace))].join(', ');
  const way =
    elsewhere === ''
      ? 'write one, as in manifests/samples/route.yaml'
      : `there are some in ${elsewhere}: pick it with --namespace`;
  return new CliError('NO_ROUTE', `the files have no ModelRoute of the namespace ${namespace}: ${way}`);
}
