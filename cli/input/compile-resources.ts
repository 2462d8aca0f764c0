import type { RuntimeConfig } from '../../contract/runtime-config.ts';
import { type Compiled, compile } from '../../operator/compile.ts';
import type { Finding } from '../../operator/findings.ts';
import type { FileProblem } from './file-problem.ts';
import type { Located, Resources } from './read-resources.ts';

export interface CompiledNamespace {
  compiled: Compiled;
  config: RuntimeConfig;
  /** What the objects say about each other: nothing that the operator would refuse, all of it worth knowing. */
  warnings: FileProblem[];
}

/** Compiles the objects of one namespace as the operator would, and tells its findings as warnings with a place in a file. */
export function compileResources(resources: Resources, namespace: string): CompiledNamespace {
  const routes = resources.routes.filter((route) => route.namespace === namespace);
  const endpoints = resources.endpoints.filter((endpoint) => endpoint.namespace === namespace);
  const compiled = compile({
    namespace,
    routes: routes.map(({ object }) => object),
    endpoints: endpoints.map(({ object }) => object),
  });
  const warnings: FileProblem[] = [];
  for (const route of routes) {
    const findings = compiled.routes.get(route.name);
    if (findings === undefined) continue;
    warn(warnings, route, 'Accepted', findings.accepted, findings.accepted.reason === 'ModelNameConflict' ? 'models' : 'chain');
    warn(warnings, route, 'ResolvedRefs', findings.resolvedRefs, 'chain');
  }
  for (const endpoint of endpoints) {
    const findings = compiled.endpoints.get(endpoint.name);
    if (findings !== undefined) warn(warnings, endpoint, 'Accepted', findings.accepted, undefined);
  }
  return { compiled, config: compiled.config, warnings };
}

/** A condition whose reason is its own type is the good news: everything else is told. */
function warn<T extends 'Accepted' | 'ResolvedRefs'>(
  warnings: FileProblem[],
  { object, file, name, lineOf }: Located<{ kind: string }>,
  type: T,
  finding: Finding<T>,
  field: string | undefined,
): void {
  const reason = String(finding.reason);
  if (reason === type) return;
  const path = field === undefined ? ['metadata', 'name'] : ['spec', field];
  warnings.push({
    severity: 'Warning',
    file,
    line: lineOf(path),
    object: `${object.kind}/${name}`,
    ...(field === undefined ? {} : { field: path.join('.') }),
    message: `${reason}: ${finding.message}`,
  });
}
