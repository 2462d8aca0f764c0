import type OpenAI from 'openai';

/** What an application sees of one chat completion through the official SDK. */
export interface Asked {
  text: string;
  /** Pieces with content, in a stream. */
  chunks: number;
  finishReason: string | undefined;
  /** The model that the body names. */
  model: string | undefined;
  error: unknown;
  /** Of the answer, or of the error that came in its place. */
  headers: Headers | undefined;
}

export interface Question {
  model?: string;
  stream?: boolean;
  prompt?: string;
  /** For an answer that never ends. */
  timeoutMs?: number;
  signal?: AbortSignal;
  headers?: Record<string, string>;
}

const GENEROUS_MS = 30_000;

/** Asks, and never throws: an error is part of what was seen, and so is the text that came before it. */
export async function ask(client: OpenAI, question: Question = {}): Promise<Asked> {
  const { model = 'gpt-4o', stream = false, prompt = 'Who are you?', timeoutMs = GENEROUS_MS } = question;
  const seen: Asked = { text: '', chunks: 0, finishReason: undefined, model: undefined, error: undefined, headers: undefined };
  const limits = [AbortSignal.timeout(timeoutMs), ...(question.signal ? [question.signal] : [])];
  const options = { signal: AbortSignal.any(limits), ...(question.headers && { headers: question.headers }) };
  const messages = [{ role: 'user' as const, content: prompt }];
  try {
    if (stream) {
      const { data, response } = await client.chat.completions.create({ model, messages, stream }, options).withResponse();
      seen.headers = response.headers;
      for await (const chunk of data) {
        const content = chunk.choices[0]?.delta.content;
        if (content) {
          seen.chunks += 1;
          seen.text += content;
        }
        seen.model = chunk.model;
        seen.finishReason = chunk.choices[0]?.finish_reason ?? seen.finishReason;
      }
      // The SDK ends an aborted stream as if it were over.
      options.signal.throwIfAborted();
    } else {
      const { data, response } = await client.chat.completions.create({ model, messages }, options).withResponse();
      seen.headers = response.headers;
      seen.text = data.choices[0]?.message.content ?? '';
      seen.model = data.model;
      seen.finishReason = data.choices[0]?.finish_reason;
    }
  } catch (error) {
    seen.error = error;
    seen.headers ??= (error as { headers?: Headers }).headers;
  }
  return seen;
}
