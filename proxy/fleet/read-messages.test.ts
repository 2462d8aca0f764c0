import { MAX_MESSAGE_BYTES } from '../../contract/fleet.ts';
import { type Envelope, MESSAGE_TIMEOUT_MS, readMessages } from './read-messages.ts';

async function read(chunks: Array<string | Buffer>, now = () => 0): Promise<Envelope[]> {
  async function* stream() {
    for (const chunk of chunks) yield Buffer.from(chunk);
  }
  const messages: Envelope[] = [];
  for await (const message of readMessages(stream(), now)) messages.push(message);
  return messages;
}

const ping = '{"type":"ping"}\n';
const config = '{"type":"config","config":{"revision":"ä"}}\n';

describe('reading the config stream', () => {
  it('finds messages wherever the chunks are cut, inside a character too', async () => {
    const bytes = Buffer.from(ping + config + ping);
    const expected = [{ type: 'ping' }, { type: 'config', config: { revision: 'ä' } }, { type: 'ping' }];
    expect(await read([bytes])).toEqual(expected);
    expect(await read([...bytes].map((byte) => Buffer.from([byte])))).toEqual(expected);
  });

  it.each([
    ['no JSON', 'nonsense\n'],
    ['an unknown type', '{"type":"surprise"}\n'],
    ['an empty line', '\n'],
    ['a field too many', '{"type":"ping","extra":1}\n'],
  ])('refuses %s', async (_sentence, line) => {
    await expect(read([line])).rejects.toMatchObject({ code: 'FLEET_MESSAGE' });
  });

  it('does not take a message that is cut off for a whole one', async () => {
    await expect(read([ping, config.slice(0, -1)])).rejects.toThrow('ended inside a message');
  });

  it('refuses a message that is too large as soon as it is, with or without its end', async () => {
    const half = Buffer.alloc(MAX_MESSAGE_BYTES / 2 + 1, 'x');
    await expect(read([half, half])).rejects.toMatchObject({ code: 'FLEET_MESSAGE' });
    await expect(read([half, Buffer.concat([half, Buffer.from('\n')])])).rejects.toThrow('more than');
  });

  it('gives a message that trickles a bounded time', async () => {
    let time = 0;
    const now = () => {
      time += MESSAGE_TIMEOUT_MS / 2;
      return time;
    };
    await expect(read(['{', '"', 't', 'y', 'p'], now)).rejects.toMatchObject({ code: 'FLEET_SILENT' });
  });
});
