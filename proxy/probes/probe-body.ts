import type { RuntimeEndpoint } from '../../contract/runtime-config.ts';

/** Reasoning models think before they speak: with less they answer nothing, and with OpenAI's older parameter they answer 400. */
const OPENAI_TOKENS = 16;

/** The smallest completion that is a real one. */
export function probeBody(provider: RuntimeEndpoint['provider'], model: string): Buffer {
  const messages = [{ role: 'user', content: 'ping' }];
  // Servers that copy OpenAI's API know `max_tokens`; OpenAI itself refuses that for its newer models.
  const limit = provider === 'OpenAI' ? { max_completion_tokens: OPENAI_TOKENS } : { max_tokens: 1 };
  return Buffer.from(JSON.stringify({ model, messages, ...limit }));
}
