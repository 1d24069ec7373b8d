import type { Readable } from 'node:stream';
import { DomainError } from '@millrace/domain';
import { withDeadline } from './deadline.js';

export interface S3ObjectBytesOptions {
  /** What must come; another number is an error. */
  readonly expectedBytes: number;
  /** How long the store may be silent while somebody waits. */
  readonly idleTimeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The body of an answer, to its last byte or with an error: a body that breaks off, is shorter than promised or stalls
 * throws `storage.unavailable`. Owns the connection: it goes back at the end and is closed after an error, by `return()`
 * (also before the first read) and when the signal aborts. A reader that takes its time is none of its business.
 */
export class S3ObjectBytes implements AsyncIterableIterator<Uint8Array> {
  #leftBytes: number;
  #ended = false;
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #onAbort = (): void => this.#end();

  constructor(
    private readonly body: Readable,
    private readonly options: S3ObjectBytesOptions,
  ) {
    this.#leftBytes = options.expectedBytes;
    this.#chunks = body[Symbol.asyncIterator]();
    // A connection that breaks while nobody reads is reported by the next read.
    body.on('error', () => undefined);
    options.signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    this.options.signal?.throwIfAborted();
    if (this.#ended) return { done: true, value: undefined };
    try {
      const next = await withDeadline(() => this.#chunks.next(), {
        timeoutMs: this.options.idleTimeoutMs,
        signal: this.options.signal,
      });
      if (next.done === true) return this.#finish();
      this.#leftBytes -= next.value.byteLength;
      if (this.#leftBytes < 0) throw new RangeError('The answer has more bytes than it should.');
      return { done: false, value: next.value };
    } catch (error) {
      this.#end();
      this.options.signal?.throwIfAborted();
      throw brokenOff(error);
    }
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    this.#end();
    return { done: true, value: undefined };
  }

  #finish(): IteratorResult<Uint8Array> {
    if (this.#leftBytes > 0) throw new RangeError(`${this.#leftBytes} bytes are missing from the answer.`);
    this.#end();
    return { done: true, value: undefined };
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.options.signal?.removeEventListener('abort', this.#onAbort);
    this.body.destroy();
  }
}

function brokenOff(cause: unknown): DomainError {
  if (cause instanceof DomainError) return cause;
  return new DomainError('storage.unavailable', 'The object store broke off in the middle of a file.', { cause });
}
