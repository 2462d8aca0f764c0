import { dump } from 'js-yaml';
import { customResourceDefinition } from './custom-resource-definition.ts';
import { KINDS, type Kind } from './kinds.ts';
import { GROUP } from './names.ts';
import { writeReference } from './write-reference.ts';

const YAML_HEADER = '# Generated from crds/*.ts by `npm run generate`: change those, not this file.\n';

/** Every generated file: its path from the root of the project, and what it has to hold. */
export function generatedFiles(): Map<string, string> {
  const kinds = Object.keys(KINDS) as Kind[];
  const definitions = new Map(kinds.map((kind) => [kind, toYaml(customResourceDefinition(kind))]));
  const files = new Map<string, string>();
  for (const [kind, yaml] of definitions) files.set(`crds/${GROUP}_${KINDS[kind].plural}.yaml`, `${YAML_HEADER}${yaml}`);
  files.set('manifests/crds.yaml', `${YAML_HEADER}${[...definitions.values()].join('---\n')}`);
  files.set('docs/api.md', writeReference());
  return files;
}

function toYaml(value: object): string {
  return dump(value, { lineWidth: 130, noRefs: true });
}
