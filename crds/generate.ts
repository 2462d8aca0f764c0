/**
 * `node crds/generate.ts` writes everything that follows from the schemas; with `--check` it writes nothing and exits 1 where a committed
 * file differs.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generatedFiles } from './generated-files.ts';

const root = join(import.meta.dirname, '..');
const check = process.argv.includes('--check');
const stale: string[] = [];

for (const [path, content] of generatedFiles()) {
  const committed = await readFile(join(root, path), 'utf8').catch(() => '');
  if (committed === content) continue;
  stale.push(path);
  if (check) process.stderr.write(`${path} differs from the schemas, first in line ${firstDifference(committed, content)}\n`);
  else await writeFile(join(root, path), content);
}

if (!check) process.stdout.write(stale.length === 0 ? 'nothing to write\n' : `wrote ${stale.join(', ')}\n`);
else if (stale.length > 0) {
  process.stderr.write('run `npm run generate` and commit what it writes\n');
  process.exitCode = 1;
}

function firstDifference(committed: string, content: string): string {
  const [was, wanted] = [committed.split('\n'), content.split('\n')];
  const index = wanted.findIndex((line, at) => line !== was[at]);
  return index < 0
    ? `${wanted.length + 1}: there are more lines than there should be`
    : `${index + 1}: wanted "${wanted[index]}"`;
}
