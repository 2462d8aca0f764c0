/** One event of a stream. Only `content` counts as a chunk: the others hold no part of the answer. */
export interface AnswerEvent {
  part: 'role' | 'content' | 'finish' | 'usage' | 'done';
  data: string;
}

/** What the lab says when nothing is wrong. */
export type Answer =
  | { kind: 'unary'; status: number; headers: Record<string, string>; body: string }
  | { kind: 'stream'; headers: Record<string, string>; events: AnswerEvent[] };

/** What an answer is made from, besides the request. */
export interface AnswerContext {
  lab: string;
  /** Number of this request in its lab, from 1: ids are made of it, so that they are the same in every run. */
  number: number;
  /** Seconds since 1970. */
  created: number;
  /** Appended to the model that was asked for, as providers append a date. */
  modelSuffix: string;
}

/** Providers lay their JSON out for people. */
export function layOut(body: unknown): string {
  return `${JSON.stringify(body, undefined, 2)}\n`;
}

/** Words with the space before them, as tokens come. */
export function chunksOf(text: string): string[] {
  return text.match(/\s*\S+/g) ?? [];
}

/** Tokens are words here: near enough for a count. */
export function countTokens(text: string): number {
  return chunksOf(text).length;
}

export function usageOf(promptTokens: number, completionTokens: number): object {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: 0,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}
