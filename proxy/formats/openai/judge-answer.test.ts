import { judgeAnswer } from './judge-answer.ts';

const judge = (operation: 'chat' | 'completions' | 'embeddings', body: string) => judgeAnswer(operation, Buffer.from(body));
const vectors = `{"object":"list","data":[{"embedding":[${'0.123456789,'.repeat(20_000)}1]}],"model":"m"}`;

describe('an answer of 200 is judged by what is in it', () => {
  it.each([
    ['a chat answer', 'chat', '{"choices":[{"message":{"content":"a"}}]}'],
    ['an empty content', 'chat', '{"choices":[{"message":{"content":""},"finish_reason":"stop"}]}'],
    ['an error of null', 'chat', '{"error":null,"choices":[{"message":{}}]}'],
    ['a completion', 'completions', '{"choices":[{"text":"a"}]}'],
    ['vectors', 'embeddings', '{"data":[{"embedding":[1]}]}'],
    ['vectors in base64', 'embeddings', '{"data":[{"embedding":"AACAPw=="}]}'],
    ['many vectors', 'embeddings', vectors],
  ] as const)('%s is good', (_, operation, body) => {
    expect(judge(operation, body)).toBeUndefined();
  });

  it.each([
    ['nothing', 'chat', '', 'not_json'],
    ['a page', 'chat', '<html>', 'not_json'],
    ['half an answer', 'chat', '{"choices":[{"mess', 'not_json'],
    ['no object', 'chat', '[]', 'no_choices'],
    ['null', 'chat', 'null', 'not_json'],
    ['no choices', 'chat', '{"id":"x"}', 'no_choices'],
    ['empty choices', 'chat', '{"choices":[]}', 'empty_choices'],
    ['a choice of null', 'chat', '{"choices":[null]}', 'no_message'],
    ['a message of null', 'chat', '{"choices":[{"message":null}]}', 'no_message'],
    ['a second choice without a message', 'chat', '{"choices":[{"message":{"content":"a"}},{}]}', 'no_message'],
    [
      'an error within a choice, as OpenRouter sends it',
      'chat',
      '{"choices":[{"message":{"content":""},"finish_reason":"error","error":{"code":502,"message":"upstream"}}]}',
      'http_502',
    ],
    ['a choice without text', 'completions', '{"choices":[{"finish_reason":"stop"}]}', 'no_text'],
    ['empty data', 'embeddings', '{"data":[]}', 'empty_data'],
    ['data without vectors', 'embeddings', '{"data":[{"embedding":[1]},{"index":1}]}', 'no_embedding'],
    ['cut vectors', 'embeddings', vectors.slice(0, -40), 'not_json'],
    ['an error, as OpenRouter sends it', 'chat', '{"error":{"code":502,"message":"upstream"}}', 'http_502'],
    ['an overload', 'chat', '{"error":{"type":"overloaded_error","message":"x"}}', 'overloaded_error'],
  ] as const)('%s is not', (_, operation, body, code) => {
    expect(judge(operation, body)?.code).toBe(code);
  });
});
