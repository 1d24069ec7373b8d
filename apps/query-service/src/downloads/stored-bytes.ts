import { Readable } from 'node:stream';
import { DomainError, type ByteStream } from '@millrace/domain';

/**
 * The bytes of a stored file as a stream that ends well only after as many as were announced, and never has more: what
 * follows them on a connection would be read as the beginning of another answer.
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
  let bytes = 0;
  for (let next = source.first; !next.done; next = await source.chunks.next()) {
    bytes += next.value.length;
    if (bytes > source.sizeBytes) break;
    yield next.value;
  }
  if (bytes === source.sizeBytes) return;
  throw new DomainError('result.corrupt', `The stored file gave ${bytes} bytes instead of ${source.sizeBytes}.`);
}
