/** The error object of OpenAI's API, see https://platform.openai.com/docs/guides/error-codes. */
export interface OpenAIError {
  message: string;
  type: string;
  param: string | null;
  code: string | null;
}

export function errorBody(error: OpenAIError & Record<string, unknown>): string {
  return JSON.stringify({ error });
}

/**
 * The event that ends a stream which failed after content had gone out. No `[DONE]` follows: OpenAI's SDKs raise on an `error`
 * event, but take a clean close, and even more a `[DONE]`, for the end of a whole answer.
 */
export function errorEvent(error: OpenAIError & Record<string, unknown>): string {
  return `data: ${errorBody(error)}\n\n`;
}
