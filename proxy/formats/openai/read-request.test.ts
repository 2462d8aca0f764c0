import { readRequest, withModel } from './read-request.ts';

const read = (text: string) => readRequest(Buffer.from(text));

describe('a request is read from its bytes', () => {
  it.each([
    ['model first', '{"model":"gpt-4o","messages":[]}', 'gpt-4o', false],
    ['model last', '{"messages":[{"role":"user","content":"model \\" \\\\"}],"stream":true,"model":"m"}', 'm', true],
    ['a nested model is not the model', '{"a":{"model":"no","stream":true},"model":"yes"}', 'yes', false],
    ['white space everywhere', ' {\n "model" :\t"m" , "stream" : true }\r\n', 'm', true],
    ['stream null is no stream', '{"model":"m","stream":null}', 'm', false],
    ['a model name with an escape', '{"model":"a\\u002fb"}', 'a/b', false],
    ['a repeated model: the last one counts, as for any JSON parser', '{"model":"a","model":"b"}', 'b', false],
    ['an escaped key', '{"mod\\u0065l":"m"}', 'm', false],
    ['a long string that ends in backslashes', `{"p":"${'x'.repeat(100)}\\\\\\\\","model":"m"}`, 'm', false],
    ['a long string with an escaped quote', `{"p":"${'x'.repeat(100)}\\\\\\" ,\\"model\\":\\"no\\"","model":"m"}`, 'm', false],
    ['an escape that straddles the walked part', `{"p":"${'x'.repeat(22)}\\"y","model":"m"}`, 'm', false],
  ])('%s', (_, text, model, stream) => {
    expect(read(text)).toMatchObject({ model, stream });
  });

  it.each([
    ['no model', '{"messages":[]}', 'you must provide a model parameter'],
    ['an empty object', '{}', 'you must provide a model parameter'],
    ['a number for a model', '{"model":4}', 'model must be a string that is not empty'],
    ['an empty model', '{"model":""}', 'model must be a string that is not empty'],
    ['a word for stream', '{"model":"m","stream":"yes"}', 'stream must be true or false'],
    ['an array', '[1]', 'the body must be a JSON object'],
    ['nothing', '', 'the body is not valid JSON'],
    ['a cut body', '{"model":"m","messages":[{"role":', 'the body is not valid JSON'],
    ['bytes behind the object', '{"model":"m"} x', 'the body is not valid JSON'],
    [
      'endless nesting of an odd request',
      `{"model":"a","model":"m","a":${'['.repeat(200_000)}${']'.repeat(200_000)}}`,
      'the body is not valid JSON',
    ],
  ])('%s is refused with the reason', (_, text, problem) => {
    expect((read(text) as { problem: string }).problem).toContain(problem);
  });

  it('agrees with JSON.parse on generated objects', () => {
    let seed = 7;
    const random = () => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return seed / 2_147_483_648;
    };
    const pieces = ['"', '\\', 'é', '{', '}', '[', ']', ',', ':', 'model', ' ', '\n', '日本'];
    const text = () =>
      Array.from({ length: Math.floor(random() * 40) }, () => pieces[Math.floor(random() * pieces.length)]).join('');
    for (let round = 0; round < 500; round += 1) {
      const object = {
        [`k${text()}`]: text(),
        list: [text(), { model: text() }],
        model: `m${text()}`,
        stream: random() < 0.5,
        end: text(),
      };
      expect(readRequest(Buffer.from(JSON.stringify(object)))).toMatchObject({ model: object.model, stream: object.stream });
    }
  });
});

describe('a request is sent to another model', () => {
  it('changes the value of model and no other byte', () => {
    const request = read('{ "messages":[1.0, 1e5],  "model" : "gpt-4o","x":"é"}');
    if ('problem' in request) throw new Error(request.problem);
    expect(withModel(request, 'claude "x"').toString()).toBe('{ "messages":[1.0, 1e5],  "model" : "claude \\"x\\"","x":"é"}');
  });

  it('sends the very same bytes when the name is the same', () => {
    const request = read('{"model":"m"}');
    if ('problem' in request) throw new Error(request.problem);
    expect(withModel(request, 'm')).toBe(request.body);
  });
});
