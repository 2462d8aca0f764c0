import { CliError } from '../cli-error.ts';
import { DEFAULT_NAMESPACE, type Resources } from './read-resources.ts';

/** The namespaces of both kinds and Secrets in the files, sorted. */
export function namespacesOf({ routes, endpoints, secrets }: Resources): string[] {
  return [...new Set([...routes, ...endpoints, ...secrets].map(({ namespace }) => namespace))].sort();
}

/** One proxy serves one namespace: that of the files, or the one of several that `--namespace` picks. */
export function chooseNamespace(resources: Resources, wanted: string | undefined): string {
  const all = namespacesOf(resources);
  if (wanted !== undefined) return wanted;
  if (all.length > 1) {
    throw new CliError(
      'SEVERAL_NAMESPACES',
      `the files name ${all.length} namespaces (${all.join(', ')}), and one run serves one: pick it with --namespace ${all[0]}`,
    );
  }
  return all[0] ?? DEFAULT_NAMESPACE;
}
