import { mkdirSync, mkdtempSync, readdirSync, readlinkSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/**
 * Writes a Secret's or ConfigMap's volume as a kubelet does: files in a new directory, `..data` swapped to it by a rename, each key a
 * symlink through `..data`. A name with a directory, as projected volumes have them, gets a symlink for its directory.
 */
export function swapVolume(volume: string, files: Readonly<Record<string, string | Buffer>>): void {
  mkdirSync(volume, { recursive: true });
  const before = readdirSync(volume).includes('..data') ? readlinkSync(join(volume, '..data')) : undefined;
  const fresh = mkdtempSync(join(volume, '..2026_11_23_'));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(fresh, name)), { recursive: true });
    writeFileSync(join(fresh, name), content);
  }
  symlinkSync(basename(fresh), join(volume, '..data_tmp'));
  renameSync(join(volume, '..data_tmp'), join(volume, '..data'));
  const present = readdirSync(volume).filter((name) => !name.startsWith('..'));
  const wanted = new Set(Object.keys(files).map((name) => name.split('/')[0]!));
  for (const name of wanted) if (!present.includes(name)) symlinkSync(join('..data', name), join(volume, name));
  for (const name of present) if (!wanted.has(name)) rmSync(join(volume, name));
  if (before !== undefined) rmSync(join(volume, before), { recursive: true });
}
