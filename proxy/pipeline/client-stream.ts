import type { ServerResponse } from 'node:http';
import type { StreamSink } from '../attempt/attempt.ts';

/** The client's side of a stream: headers at the first content, then the provider's bytes as they come. */
export class ClientStream implements StreamSink {
  /** Content has gone out: nothing else can be answered any more. */
  hasBegun = false;
  readonly #response: ServerResponse;
  readonly #headers: () => string[];

  constructor(response: ServerResponse, headers: () => string[]) {
    this.#response = response;
    this.#headers = headers;
  }

  begin(headers: string[]): void {
    this.hasBegun = true;
    this.#response.writeHead(200, [...headers, ...this.#headers()]);
  }

  write(bytes: Buffer): boolean {
    return this.#response.write(bytes);
  }

  onDrain(listener: () => void): void {
    this.#response.once('drain', listener);
  }
}
