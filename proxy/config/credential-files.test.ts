import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { eventually } from '../../test/eventually.ts';
import { swapVolume } from '../../test/fleet/swap-volume.ts';
import { type CredentialFiles, createCredentialFiles, MAX_CREDENTIAL_BYTES } from './credential-files.ts';

describe('provider keys from mounted Secrets', () => {
  const ref = { secret: 'openai', key: 'apiKey' };
  let directory: string;
  let credentials: CredentialFiles;
  let logs: string[];
  let changes: number;

  /** Without a watch that helps, the poll is what finds a change: `pollIntervalMs` says which of the two a test is about. */
  function open(pollIntervalMs = 3_600_000): void {
    logs = [];
    changes = 0;
    const logger = pino({ level: 'trace' }, { write: (line: string) => void logs.push(line) });
    credentials = createCredentialFiles({ directory, logger, pollIntervalMs });
    credentials.onChange(() => {
      changes += 1;
    });
  }

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'understudy-credentials-'));
    open();
  });
  afterEach(() => {
    credentials.close();
    rmSync(directory, { recursive: true, force: true });
  });

  it.each([
    ['as it is', 'sk-1', 'sk-1'],
    ['without the newline of an editor', 'sk-1\n', 'sk-1'],
    ['without the newline of another editor', 'sk-1\r\n', 'sk-1'],
    ['with spaces, which may be part of it', ' sk 1 ', ' sk 1 '],
    ['as missing when it is empty', '\n', undefined],
  ])('reads a key %s', (_sentence, content, expected) => {
    swapVolume(join(directory, 'openai'), { apiKey: content });
    expect(credentials.read(ref)).toBe(expected);
  });

  it('reads a key that is rotated as a kubelet does, and tells', async () => {
    swapVolume(join(directory, 'openai'), { apiKey: 'sk-old', other: 'sk-other' });
    expect(credentials.read(ref)).toBe('sk-old');
    expect(credentials.read({ ...ref, key: 'other' })).toBe('sk-other');
    swapVolume(join(directory, 'openai'), { apiKey: 'sk-new', other: 'sk-other' });
    await eventually(() => expect(credentials.read(ref)).toBe('sk-new'));
    expect(changes).toBe(1);
    swapVolume(join(directory, 'openai'), { other: 'sk-other' });
    await eventually(() => expect(credentials.read(ref)).toBeUndefined());
    expect(changes).toBe(2);
    expect(credentials.read({ ...ref, key: 'other' })).toBe('sk-other');
  });

  it('does not tell of a swap that changes no key', async () => {
    swapVolume(join(directory, 'openai'), { apiKey: 'sk-1' });
    swapVolume(join(directory, 'mistral'), { apiKey: 'sk-2' });
    credentials.read(ref);
    credentials.read({ secret: 'mistral', key: 'apiKey' });
    swapVolume(join(directory, 'openai'), { apiKey: 'sk-1' });
    swapVolume(join(directory, 'mistral'), { apiKey: 'sk-3' });
    await eventually(() => expect(credentials.read({ secret: 'mistral', key: 'apiKey' })).toBe('sk-3'));
    expect(changes).toBe(1);
  });

  it('finds a Secret that comes later, and a swap that no watch sees, by polling', async () => {
    credentials.close();
    open(50);
    expect(credentials.read(ref)).toBeUndefined();
    const elsewhere = mkdtempSync(join(tmpdir(), 'understudy-elsewhere-'));
    mkdirSync(join(elsewhere, 'one'));
    mkdirSync(join(elsewhere, 'two'));
    writeFileSync(join(elsewhere, 'one', 'apiKey'), 'sk-1');
    writeFileSync(join(elsewhere, 'two', 'apiKey'), 'sk-2');
    symlinkSync('one', join(elsewhere, 'now'));
    symlinkSync(join(elsewhere, 'now'), join(directory, 'openai'));
    await eventually(() => expect(credentials.read(ref)).toBe('sk-1'));
    symlinkSync('two', join(elsewhere, 'next'));
    renameSync(join(elsewhere, 'next'), join(elsewhere, 'now'));
    await eventually(() => expect(credentials.read(ref)).toBe('sk-2'));
    rmSync(elsewhere, { recursive: true });
  });

  it('does not read what is no key, and says it once', async () => {
    credentials.close();
    open(20);
    swapVolume(join(directory, 'openai'), { apiKey: 'x'.repeat(MAX_CREDENTIAL_BYTES + 1) });
    expect(credentials.read(ref)).toBeUndefined();
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(logs.filter((line) => line.includes("can't be read"))).toHaveLength(1);
  });

  it.each([
    { secret: '..', key: 'outside' },
    { secret: 'openai', key: '../../outside' },
    { secret: 'openai/..', key: 'outside' },
    { secret: '', key: 'outside' },
    { secret: 'openai', key: '..data' },
  ])('reads nothing outside its directory: %p', (outside) => {
    swapVolume(join(directory, 'openai'), { apiKey: 'sk-1' });
    writeFileSync(join(directory, 'outside'), 'not a key');
    expect(credentials.read(outside)).toBeUndefined();
  });

  it('logs no key', async () => {
    swapVolume(join(directory, 'openai'), { apiKey: 'sk-secret-1' });
    credentials.read(ref);
    swapVolume(join(directory, 'openai'), { apiKey: 'sk-secret-2' });
    await eventually(() => expect(credentials.read(ref)).toBe('sk-secret-2'));
    expect(logs.join('')).toContain('a provider key has changed');
    expect(logs.join('')).not.toContain('sk-secret');
  });
});
