import { KubeError } from './kube/kube-error.ts';
import type { KubeObject } from './kube/kube-object.ts';
import { createStatusWriter } from './status-writer.ts';
import { HEARTBEAT_MS } from './status-writes.ts';

interface Status {
  word: string;
  figure: number;
}
const signal = new AbortController().signal;

describe('createStatusWriter', () => {
  it('writes news at once, figures with the heartbeat, and nothing for nothing', async () => {
    const { writer, writes, pass } = setUp();
    const object = version('1', 'uid');
    pass(1_000);
    expect((await writer.write(object, undefined, { word: 'a', figure: 1 }, signal)).outcome).toBe('Written');
    expect((await writer.write(object, { word: 'a', figure: 1 }, { word: 'a', figure: 1 }, signal)).outcome).toBe('Unchanged');
    const waiting = await writer.write(object, { word: 'a', figure: 1 }, { word: 'a', figure: 2 }, signal);
    expect(waiting.outcome).toBe('Pending');
    pass(waiting.result.requeueAfterMs!);
    expect((await writer.write(object, { word: 'a', figure: 1 }, { word: 'a', figure: 2 }, signal)).outcome).toBe('Written');
    expect(writes).toHaveLength(2);
  });

  it('does not write figures as soon as it begins, although it does not know when they were written last', async () => {
    const { writer, writes, pass } = setUp();
    const waiting = await writer.write(version('1', 'uid'), { word: 'a', figure: 1 }, { word: 'a', figure: 2 }, signal);
    expect(waiting.outcome).toBe('Pending');
    pass(HEARTBEAT_MS);
    await writer.write(version('1', 'uid'), { word: 'a', figure: 1 }, { word: 'a', figure: 2 }, signal);
    expect(writes).toHaveLength(1);
  });

  it('knows what it wrote while the local copy does not, and believes the copy as soon as that has moved', async () => {
    const { writer } = setUp();
    const written = { word: 'a', figure: 1 };
    await writer.write(version('1', 'uid'), undefined, written, signal);
    expect(writer.present(version('1', 'uid'), undefined)).toBe(written);
    const other = { word: 'b', figure: 1 };
    expect(writer.present(version('2', 'uid'), other)).toBe(other);
  });

  it('takes a namesake that was made anew for another object', async () => {
    const { writer } = setUp();
    await writer.write(version('1', 'uid'), undefined, { word: 'a', figure: 1 }, signal);
    expect(writer.present(version('1', 'another'), undefined)).toBeUndefined();
  });

  it('does not mind that the object was deleted meanwhile, and minds everything else', async () => {
    const { writer, fail } = setUp();
    fail('NotFound');
    expect((await writer.write(version('1', 'uid'), undefined, { word: 'a', figure: 1 }, signal)).outcome).toBe('Unchanged');
    fail('Unreachable');
    await expect(writer.write(version('1', 'uid'), undefined, { word: 'a', figure: 1 }, signal)).rejects.toThrow(KubeError);
  });
});

function setUp() {
  let now = 0;
  let failure: ConstructorParameters<typeof KubeError>[0]['code'] | undefined;
  const writes: KubeObject[] = [];
  const writer = createStatusWriter<Status>({
    client: {
      async applyStatus<T extends KubeObject>(object: T) {
        if (failure) throw new KubeError({ code: failure, request: 'PATCH', message: 'no' });
        writes.push(object);
        return object;
      },
    },
    clock: { monotonic: () => now },
    inWords: ({ word }) => word,
    onWrite: () => {},
  });
  return {
    writer,
    writes,
    pass: (milliseconds: number) => {
      now += milliseconds;
    },
    fail: (code: NonNullable<typeof failure>) => {
      failure = code;
    },
  };
}

function version(resourceVersion: string, uid: string): KubeObject {
  return { apiVersion: 'v1', kind: 'Thing', metadata: { namespace: 'sales', name: 'chat', uid, resourceVersion } };
}
