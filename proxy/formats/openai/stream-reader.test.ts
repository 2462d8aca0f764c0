import { OpenAIStreamReader } from './stream-reader.ts';

const event = (body: unknown) => `data: ${JSON.stringify(body)}\n\n`;
const delta = (value: object, finish: string | null = null, index = 0) =>
  event({ choices: [{ index, delta: value, finish_reason: finish }] });
const DONE = 'data: [DONE]\n\n';
const MAX = 10_000;

function readAll(text: string, size = text.length) {
  const reader = new OpenAIStreamReader(MAX);
  const bytes = Buffer.from(text);
  const passed: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) passed.push(Buffer.from(reader.push(bytes.subarray(at, at + size))));
  return { reader, passed: Buffer.concat(passed).toString(), end: reader.end() };
}

const WHOLE =
  delta({ role: 'assistant', content: '' }) +
  delta({ content: 'Grüße 你好' }) +
  delta({}, 'stop') +
  event({ choices: [], usage: {} }) +
  DONE;

describe('a stream is read while its bytes pass', () => {
  it('gives every byte on, wherever the stream was cut', () => {
    for (let size = 1; size < 80; size += 1) {
      const { passed, end, reader } = readAll(WHOLE, size);
      expect(passed).toBe(WHOLE);
      expect(end).toBeUndefined();
      expect(reader.isDone).toBe(true);
    }
  });

  it('understands CRLF, comments, event names and data without a space', () => {
    const text =
      ': ping\r\n\r\nevent: message\r\ndata:{"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}\r\n\r\ndata:[DONE]\r\n\r\n';
    for (const size of [1, 2, 3, 7, text.length]) expect(readAll(text, size)).toMatchObject({ passed: text, end: undefined });
  });

  it.each([
    ['CRLF', '', '\r\n\r\n'],
    ['lines that end in two ways', '', '\r\n\n'],
    ['lines that end in the two other ways', '', '\n\r\n'],
    ['spaces behind the data', '', ' \n\n'],
    ['more space before the data', ' ', '\n\n'],
  ])('understands %s in every event, the last one too', (_, before, after) => {
    const data = ['{"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}', '[DONE]'];
    const text = data.map((one) => `data: ${before}${one}${after}`).join('');
    for (const size of [1, 5, text.length / 2, text.length]) {
      const { passed, end, reader } = readAll(text, size);
      expect({ passed, end, isDone: reader.isDone }).toEqual({ passed: text, end: undefined, isDone: true });
    }
  });

  it('is not put off by a byte order mark', () => {
    const text = `\uFEFF${delta({ content: 'a' }, 'stop')}${DONE}`;
    expect(readAll(text)).toMatchObject({ passed: text, end: undefined });
  });

  it.each([
    ['a role', delta({ role: 'assistant', content: '' }), false],
    ['a null content', delta({ role: 'assistant', content: null }), false],
    ['a ping', ': keep-alive\n\n', false],
    ['Azure’s filter results', event({ id: '', choices: [], prompt_filter_results: [{}] }), false],
    ['text', delta({ content: 'a' }), true],
    ['a tool call', delta({ tool_calls: [{ index: 0, id: 'a', function: { name: 'f', arguments: '' } }] }), true],
    ['reasoning', delta({ reasoning_content: 'hm' }), true],
    ['a refusal', delta({ refusal: 'no' }), true],
    ['content parts, as Mistral sends them', delta({ content: [{ type: 'thinking' }] }), true],
    ['a finish without any content', delta({}, 'stop'), true],
    ['text of the older API', event({ choices: [{ index: 0, text: 'a', finish_reason: null }] }), true],
  ])('%s: content is %s', (_, text, expected) => {
    expect(readAll(text).reader.hasContent).toBe(expected);
  });
});

describe('a stream that is not whole is told from one that is', () => {
  it.each([
    ['a cut', delta({ content: 'a' }), 'stream_truncated'],
    [
      'an error within a choice, as OpenRouter sends it',
      event({
        choices: [{ index: 0, delta: { content: '' }, finish_reason: 'error', error: { code: 502, message: 'upstream' } }],
      }) + DONE,
      'http_502',
    ],
    ['a cut within an event', `${delta({ content: 'a' })}data: {"cho`, 'stream_truncated'],
    ['[DONE] before the finish', delta({ content: 'a' }) + DONE, 'stream_truncated'],
    [
      'a choice that never ends',
      delta({ content: 'a' }) + delta({ content: 'b' }, null, 1) + delta({}, 'stop') + DONE,
      'stream_truncated',
    ],
    [
      'an error event, then [DONE], as vLLM does',
      delta({ content: 'a' }) + event({ error: { message: 'CUDA', code: 500 } }) + DONE,
      'http_500',
    ],
    ['a named error event', 'event: error\ndata: {"message":"bad"}\n\n', 'http_503'],
    ['broken JSON', `${delta({ content: 'a' })}data: {"choices":[{]}\n\n`, 'malformed_event'],
    ['an event that is no object', 'data: 7\n\n', 'malformed_event'],
    ['an event without end', `data: "${'x'.repeat(MAX + 10)}`, 'event_too_large'],
    ['nothing at all', '', 'stream_truncated'],
  ])('%s', (_, text, code) => {
    expect(readAll(text).end?.code).toBe(code);
  });

  it('is whole without [DONE]: not every provider sends it', () => {
    expect(readAll(delta({ content: 'a' }) + delta({}, 'stop')).end).toBeUndefined();
  });

  it('reads the words of an error as they were written', () => {
    expect(readAll(event({ error: { message: 'überlastet 你好' } })).end?.message).toBe('überlastet 你好');
  });

  it('gives on what came before the failure and nothing of it', () => {
    const good = delta({ content: 'a' });
    expect(readAll(`${good}data: {"error":{"message":"x"}}\n\n${DONE}`).passed).toBe(good);
  });
});
