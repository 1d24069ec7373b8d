import { createHash } from 'node:crypto';
import { DomainError, type ByteStream } from '@millrace/domain';

export interface Metered {
  readonly sizeBytes: number;
  /** SHA-256 of the bytes, in hexadecimal. */
  readonly contentHash: string;
}

export interface MeteredBytes extends ByteStream {
  /** Size and hash, once the stream was read to its end; before that a programmer's error. */
  result(): Metered;
}

/**
 * Counts and hashes bytes as they stream by, without keeping them. Can be read once.
 *
 * @param options.bytesMax the stream throws `upload.too_large` before the chunk that would go beyond
 */
export function meterBytes(body: ByteStream, options: { readonly bytesMax?: number } = {}): MeteredBytes {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  let metered: Metered | undefined;

  async function* pass(): AsyncGenerator<Uint8Array> {
    for await (const chunk of body) {
      sizeBytes += chunk.byteLength;
      if (options.bytesMax !== undefined && sizeBytes > options.bytesMax) throw tooLarge(options.bytesMax);
      hash.update(chunk);
      yield chunk;
    }
    metered = { sizeBytes, contentHash: hash.digest('hex') };
  }

  const chunks = pass();
  return {
    [Symbol.asyncIterator]: () => chunks,
    result: () => {
      if (!metered) throw new Error('The bytes were not read to their end.');
      return metered;
    },
  };
}

function tooLarge(bytesMax: number): DomainError {
  return new DomainError('upload.too_large', `The upload has more than ${bytesMax} bytes, the most that is allowed.`);
}
