import type { ServerResponse } from 'node:http';
import { writeRefusal } from '../pipeline/write-failure.ts';
import type { ServingConfig } from '../routing/serving-config.ts';

/** `GET /v1/models` and `GET /v1/models/{model}`: the names that routes answer to. https://platform.openai.com/docs/api-reference/models */
export function listModels(serving: ServingConfig | undefined, path: string, response: ServerResponse): void {
  const names = serving === undefined ? [] : [...serving.routesByModel.keys()].sort();
  const asked = decode(path.slice('/v1/models/'.length));
  if (asked === '') return write(response, { object: 'list', data: names.map(modelObject) });
  if (names.includes(asked)) return write(response, modelObject(asked));
  writeRefusal(response, {
    status: 404,
    message: `The model \`${asked.slice(0, 128)}\` is not served here.`,
    type: 'invalid_request_error',
    code: 'model_not_found',
    param: 'model',
  });
}

function modelObject(id: string): object {
  return { id, object: 'model', created: 0, owned_by: 'understudy' };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function write(response: ServerResponse, body: object): void {
  const text = JSON.stringify(body);
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}
