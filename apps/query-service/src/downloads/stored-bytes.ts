import { Readable } from 'node:stream';
import { DomainError, type ByteStream } from '@millrace/domain';
import { ReaderPace, type ReaderPaceLimits } from '@millrace/engine';

export interface StoredBytesOptions {
  /** How many are announced. */
  readonly sizeBytes: number;
  /** How slow the reader may be. */
  readonly pace: ReaderPaceLimits;
}

/**
 * The bytes of a stored file as a stream that ends well only after as many as were announced, and never has more: what
 * follows them on a connection would be read as the beginning of another answer.
 *
 * @returns when the first are there, so that an error before can still be told
 */
export async function storedBytes(stream: ByteStream, options: StoredBytesOptions): Promise<Readable> {
  const chunks = stream[Symbol.asyncIterator]();
  const first = await chunks.next();
  const pace = new ReaderPace(options.pace, (error) => void body.destroy(error));
  const { sizeBytes } = options;
  const body = Readable.from(exactly({ first, chunks, sizeBytes, pace }), { objectMode: false });
  body.once('close', () => {
    pace.stopWaiting();
    // Before its first read a generator has no end that it could react to.
    void chunks.return?.().catch(() => undefined);
  });
  return body;
}

async function* exactly(source: {
  readonly first: IteratorResult<Uint8Array>;
  readonly chunks: AsyncIterator<Uint8Array>;
  readonly sizeBytes: number;
  readonly pace: ReaderPace;
}): AsyncGenerator<Uint8Array> {
  const { first, chunks, sizeBytes, pace } = source;
  let bytes = 0;
  for (let next = first; !next.done; next = await chunks.next()) {
    bytes += next.value.length;
    if (bytes > sizeBytes) break;
    pace.give(next.value.length);
    pace.wait();
    yield next.value;
    pace.stopWaiting();
  }
  if (bytes !== sizeBytes)
    throw new DomainError('result.corrupt', `The stored file gave ${bytes} bytes instead of ${sizeBytes}.`);
  // Until the reader has taken the last of them.
  pace.wait();
}
