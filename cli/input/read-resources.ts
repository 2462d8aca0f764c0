import type { ModelRoute } from '../../crds/model-route.ts';
import { API_VERSION, GROUP } from '../../crds/names.ts';
import { type FieldPath, formatFieldPath } from '../../crds/problem.ts';
import type { ProviderEndpoint } from '../../crds/provider-endpoint.ts';
import { validateResource } from '../../crds/validate.ts';
import { type FileProblem, showValue } from './file-problem.ts';
import { type LocalSecret, readSecret } from './read-secret.ts';
import type { SourceFile } from './read-source-file.ts';
import { readYaml, type YamlDocument, YamlSyntaxError } from './read-yaml.ts';

/** Whoever applies a file without naming a namespace applies it here, as with kubectl. */
export const DEFAULT_NAMESPACE = 'default';

/** An object, and where it was read. */
export interface Located<T> {
  object: T;
  namespace: string;
  name: string;
  file: string;
  lineOf(path: FieldPath): number;
}

export interface Resources {
  routes: Located<ModelRoute>[];
  endpoints: Located<ProviderEndpoint>[];
  secrets: Located<LocalSecret>[];
  problems: FileProblem[];
  /** What was left aside, and why that is fine. */
  notes: string[];
}

/** Reads both kinds and Secrets out of YAML files. Everything that is wrong is told at once, not only the first. */
export function readResources(files: readonly SourceFile[], defaultNamespace: string = DEFAULT_NAMESPACE): Resources {
  const resources: Resources = { routes: [], endpoints: [], secrets: [], problems: [], notes: [] };
  const seen = new Map<string, string>();
  for (const file of files) {
    for (const item of itemsOf(file, resources.problems)) {
      const located = readObject(item, defaultNamespace, resources);
      if (located === undefined) continue;
      const key = `${located.kind} ${located.namespace}/${located.name}`;
      const before = seen.get(key);
      if (before !== undefined) {
        problem(resources, item, ['metadata', 'name'], `is defined already, at ${before}: give it another name, or remove one`);
        continue;
      }
      seen.set(key, `${item.file}:${item.lineOf([])}`);
      located.add();
    }
  }
  return resources;
}

/** An object as it stands in a file: a document, or an item of a `List`. */
interface Item {
  value: Record<string, unknown>;
  file: string;
  lineOf(path: FieldPath): number;
}

function* itemsOf(file: SourceFile, problems: FileProblem[]): Generator<Item> {
  let documents: YamlDocument[];
  try {
    documents = readYaml(file.text);
  } catch (error) {
    if (!(error instanceof YamlSyntaxError)) throw error;
    problems.push({ severity: 'Error', file: file.name, line: error.line, message: `is not YAML: ${error.message}` });
    return;
  }
  for (const { value, line, lineOf } of documents) {
    if (value === null || value === undefined) continue;
    if (!isMapping(value) || typeof value.kind !== 'string' || typeof value.apiVersion !== 'string') {
      problems.push({
        severity: 'Error',
        file: file.name,
        line,
        message: `is not a Kubernetes object: begin it with "apiVersion: ${API_VERSION}" and "kind: ModelRoute" or another kind`,
      });
    } else if (value.kind === 'List' && value.apiVersion === 'v1' && Array.isArray(value.items)) {
      for (const [index, item] of value.items.entries()) {
        if (isMapping(item)) yield { value: item, file: file.name, lineOf: (path) => lineOf(['items', index, ...path]) };
      }
    } else yield { value, file: file.name, lineOf };
  }
}

interface ReadObject {
  kind: string;
  namespace: string;
  name: string;
  add(): void;
}

function readObject(item: Item, defaultNamespace: string, resources: Resources): ReadObject | undefined {
  const { value } = item;
  const { kind, apiVersion } = value as { kind: string; apiVersion: string };
  const located = <T>(object: T, { name, namespace }: { name: string; namespace?: string | undefined }): Located<T> => ({
    object,
    namespace: namespace ?? defaultNamespace,
    name,
    file: item.file,
    lineOf: item.lineOf,
  });
  const read = <T>(entry: Located<T>, list: Located<T>[]): ReadObject => ({ ...entry, kind, add: () => list.push(entry) });

  if (kind === 'Secret' && apiVersion === 'v1') {
    const result = readSecret(value);
    if ('secret' in result) return read(located(result.secret, metadataOf(value)), resources.secrets);
    for (const { path, message } of result.issues) problem(resources, item, path as FieldPath, message);
    return undefined;
  }
  if (kind === 'ModelRoute' || kind === 'ProviderEndpoint') {
    if (apiVersion !== API_VERSION) {
      problem(
        resources,
        item,
        ['apiVersion'],
        `write ${API_VERSION}, the version of ${kind} that this program knows`,
        'showValue',
      );
      return undefined;
    }
    const result = validateResource(value);
    if (!result.ok) {
      for (const { path, message } of result.problems) problem(resources, item, path, message, 'showValue');
      return undefined;
    }
    return result.resource.kind === 'ModelRoute'
      ? read(located(result.resource, result.resource.metadata), resources.routes)
      : read(located(result.resource, result.resource.metadata), resources.endpoints);
  }
  if (isOfKubernetes(apiVersion)) {
    resources.notes.push(`${item.file}:${item.lineOf([])}: ${objectName(value)}: left aside: it says nothing about routes`);
    return undefined;
  }
  const hint = apiVersion.startsWith(`${GROUP}/`) ? `${API_VERSION} has` : 'this program reads';
  problem(resources, item, ['kind'], `${apiVersion} ${kind} is not known here: ${hint} ModelRoute and ProviderEndpoint`);
  return undefined;
}

/** Kinds of Kubernetes itself stand beside our own in many a directory. Theirs are `v1`, `apps/v1`, or of a group under `k8s.io`. */
function isOfKubernetes(apiVersion: string): boolean {
  const [group] = apiVersion.split('/');
  return !apiVersion.includes('/') || !group!.includes('.') || group!.endsWith('.k8s.io');
}

function problem(
  { problems }: Resources,
  { value, file, lineOf }: Item,
  path: FieldPath,
  message: string,
  extra?: 'showValue',
): void {
  // A field that nobody knows may hold anything, a key too.
  const shown = extra === 'showValue' && !message.startsWith('unknown field') ? showValue(value, path) : undefined;
  problems.push({
    severity: 'Error',
    file,
    line: lineOf(path),
    object: objectName(value),
    ...(path.length === 0 ? {} : { field: formatFieldPath(path) }),
    message,
    ...(shown === undefined ? {} : { value: shown }),
  });
}

function objectName(value: Record<string, unknown>): string {
  const { name } = metadataOf(value);
  return typeof name === 'string' && name !== '' ? `${value.kind}/${name}` : String(value.kind);
}

function metadataOf(value: Record<string, unknown>): { name: string; namespace?: string } {
  return isMapping(value.metadata) ? (value.metadata as { name: string; namespace?: string }) : { name: '' };
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
