import { Readable } from 'node:stream';
import { DomainError, type ByteStream } from '@millrace/domain';

/**
 * The bytes of a stored file as a stream that ends well only after as many as were announced.
 *
 * @returns when the first are there, so that an error before can still be told
 */
export async function storedBytes(stream: ByteStream, sizeBytes: number): Promise<Readable> {
  const chunks = stream[Symbol.asyncIterator]();
  const first = await chunks.next();
  const body = Readable.from(exactly({ first, chunks, sizeBytes }), { objectMode: false });
  // Before its first read a generator has no end that it could react to.
  body.once('close', () => void chunks.return?.().catch(() => undefined));
  return body;
}

async function* exactly(source: {
  readonly first: IteratorResult<Uint8Array>;
  readonly chunks: AsyncIterator<Uint8Array>;
  readonly sizeBytes: number;
}): AsyncGenerator<Uint8Array> {
  let sentBytes = 0;
  for (let next = source.first; !next.done; next = await source.chunks.next()) {
    sentBytes += next.value.length;
    yield next.value;
  }
  if (sentBytes === source.sizeBytes) return;
  throw new DomainError('result.corrupt', `The stored file gave ${sentBytes} bytes instead of ${source.sizeBytes}.`);
}
