import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { generatedFiles } from './generated-files.ts';
import { KINDS, type Kind } from './kinds.ts';
import { PRINTER_COLUMNS } from './printer-columns.ts';
import type { StructuralSchema } from './structural-schema.ts';
import { validateResource } from './validate.ts';

const files = generatedFiles();

describe('generated files', () => {
  it.each([...files])('%s is committed as it would be generated now', (path, content) => {
    expect(readFileSync(join(import.meta.dirname, '..', path), 'utf8')).toBe(content);
  });

  it('show examples in the reference that are valid', () => {
    const examples = [...files.get('docs/api.md')!.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, yaml]) => load(yaml!));
    expect(examples.map((example) => validateResource(example).ok)).toEqual([true, true]);
  });

  it.each(Object.keys(KINDS) as Kind[])('have columns of %s that read fields which exist', (kind) => {
    const { spec, status } = KINDS[kind];
    const root = { type: 'object', properties: { spec, status } } as StructuralSchema;
    for (const { jsonPath } of PRINTER_COLUMNS[kind]) {
      if (jsonPath.startsWith('.metadata.')) continue;
      const names = jsonPath
        .replace(/\[[^\]]*\]/g, '')
        .split('.')
        .slice(1);
      const field = names.reduce<StructuralSchema | undefined>((at, name) => (at?.items ?? at)?.properties?.[name], root);
      expect([jsonPath, typeof field]).toEqual([jsonPath, 'object']);
    }
  });
});
