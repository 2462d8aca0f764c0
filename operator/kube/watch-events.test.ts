import type { KubeObject } from './kube-object.ts';
import { readWatchEvents, type WatchEvent } from './watch-events.ts';

async function* inChunks(text: string, size: number): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(text);
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}

async function readAll(text: string, size = 7): Promise<WatchEvent<KubeObject>[]> {
  const events: WatchEvent<KubeObject>[] = [];
  for await (const event of readWatchEvents<KubeObject>(inChunks(text, size), 'WATCH /x')) events.push(event);
  return events;
}

const line = (type: string, object: object) => `${JSON.stringify({ type, object })}\n`;
const object = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, resourceVersion: '5' } });

describe('readWatchEvents', () => {
  it.each([1, 2, 3, 64, 4_096])('reads the same events however they are cut (%i bytes at a time)', async (size) => {
    const text =
      line('ADDED', object('grün')) + line('BOOKMARK', object('')) + line('DELETED', object('a')) + line('MODIFIED', object('b'));
    expect(await readAll(text, size)).toEqual([
      { type: 'ADDED', object: object('grün') },
      { type: 'BOOKMARK', resourceVersion: '5' },
      { type: 'DELETED', object: object('a') },
      { type: 'MODIFIED', object: object('b') },
    ]);
  });

  it('does not take a line for an event that was cut off, even where it would be one', async () => {
    const whole = line('ADDED', object('a'));
    expect(await readAll(whole + whole.trimEnd())).toHaveLength(1);
  });

  const failures: [what: string, text: string, expected: object][] = [
    [
      'an error of the server',
      line('ERROR', { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' }),
      { code: 'Expired' },
    ],
    ['a line that is not JSON', 'hello\n', { code: 'Unexpected' }],
    ['an event that the API does not have', line('EXPLODED', {}), { code: 'Unexpected' }],
    [
      'a line without an end',
      'x'.repeat(17 * 1024 * 1024),
      { code: 'Unexpected', message: expect.stringContaining('longer than') },
    ],
  ];
  it.each(failures)('fails on %s', async (_, text, expected) => {
    await expect(readAll(text, 1024 * 1024)).rejects.toMatchObject(expected);
  });
});
