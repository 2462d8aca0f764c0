import { type Answer, type AnswerContext, layOut } from './answer.ts';
import { answerChat, type ChatRequest } from './chat-answer.ts';
import { answerCompletion, type CompletionRequest } from './completion-answer.ts';
import { answerEmbedding, type EmbeddingRequest } from './embedding-answer.ts';
import { openAIError } from './error-bodies.ts';
import type { LabRequest } from './lab-request.ts';

export interface Account {
  /** Models that exist. Left out: every model does. */
  models?: readonly string[];
  /** Keys that are accepted. Left out: every request is, with or without a key. */
  keys?: readonly string[];
}

/** The answer of a provider that works, error answers of its own included. */
export function composeAnswer(request: LabRequest, account: Account, context: AnswerContext): Answer {
  const path = request.path.split('?')[0] ?? '';
  if (account.keys && !account.keys.includes(request.key ?? '')) return refuseKey(request.key);
  if (request.method === 'GET' && path.endsWith('/models')) return listModels(account.models ?? DEFAULT_MODELS, context);
  const compose = request.method === 'POST' ? COMPOSERS.find(({ suffix }) => path.endsWith(suffix)) : undefined;
  if (!compose) return echo(request, context);
  if (request.json() === undefined) {
    return fail(400, 'We could not parse the JSON body of your request.', null, null);
  }
  if (request.model === undefined) return fail(400, 'you must provide a model parameter', null, null);
  if (account.models && !account.models.includes(request.model)) {
    return fail(404, `The model \`${request.model}\` does not exist or you do not have access to it.`, 'model_not_found', null);
  }
  const fields = request.json() as Fields;
  if (fields[compose.needs] === undefined) {
    return fail(400, `Missing required parameter: '${compose.needs}'.`, 'missing_required_parameter', compose.needs);
  }
  return compose.answer(fields, context);
}

const DEFAULT_MODELS = ['gpt-4o', 'gpt-4o-mini'];

type Fields = Record<string, unknown>;

/** The provider's own validation is not imitated further than `needs`. */
const COMPOSERS: { suffix: string; needs: string; answer(fields: Fields, context: AnswerContext): Answer }[] = [
  {
    suffix: '/chat/completions',
    needs: 'messages',
    answer: (fields, context) => answerChat(fields as unknown as ChatRequest, context),
  },
  {
    suffix: '/completions',
    needs: 'prompt',
    answer: (fields, context) => answerCompletion(fields as unknown as CompletionRequest, context),
  },
  {
    suffix: '/embeddings',
    needs: 'input',
    answer: (fields, context) => answerEmbedding(fields as unknown as EmbeddingRequest, context),
  },
];

function listModels(models: readonly string[], context: AnswerContext): Answer {
  const data = models.map((id) => ({ id, object: 'model', created: context.created, owned_by: context.lab }));
  return { kind: 'unary', status: 200, headers: {}, body: layOut({ object: 'list', data }) };
}

/** What was asked, for paths that a gateway does not interpret: a test sees that nothing of it was lost. */
function echo(request: LabRequest, context: AnswerContext): Answer {
  const { method, path, bodySha256, headers } = request;
  const said = { lab: context.lab, method, path, bytes: request.body.length, bodySha256, contentType: headers['content-type'] };
  return { kind: 'unary', status: 200, headers: {}, body: layOut(said) };
}

function refuseKey(key: string | undefined): Answer {
  if (key === undefined) return fail(401, "You didn't provide an API key.", null, null);
  return fail(401, `Incorrect API key provided: ${key}.`, 'invalid_api_key', null);
}

function fail(status: number, message: string, code: string | null, param: string | null): Answer {
  return { kind: 'unary', status, headers: {}, body: openAIError(message, 'invalid_request_error', code, param) };
}
