import { createHash, type Hash } from 'node:crypto';
import { DomainError } from '@millrace/domain';

/** The protocol wants SHA-1 to be among them. */
export const CHECKSUM_ALGORITHMS = ['sha1', 'sha256', 'md5'] as const;

const CHECKSUM = /^(?<algorithm>[a-z0-9]+) (?<base64>[A-Za-z0-9+/]+={0,2})$/;

/** What a client says that the bytes of one request are: `Upload-Checksum`. */
export class TusChecksum {
  private readonly hash: Hash;

  private constructor(
    algorithm: string,
    private readonly expected: Buffer,
  ) {
    this.hash = createHash(algorithm);
  }

  /** @throws DomainError `tus.invalid` when it is none, or of another algorithm */
  static parse(header: string | undefined): TusChecksum | undefined {
    if (header === undefined) return undefined;
    const { algorithm = '', base64 = '' } = CHECKSUM.exec(header.trim())?.groups ?? {};
    if (CHECKSUM_ALGORITHMS.some((known) => known === algorithm)) {
      return new TusChecksum(algorithm, Buffer.from(base64, 'base64'));
    }
    const algorithms = CHECKSUM_ALGORITHMS.join(', ');
    throw new DomainError('tus.invalid', `Write "Upload-Checksum: <algorithm> <base64>", with one of ${algorithms}.`);
  }

  /** Passes bytes on and hashes them. */
  async *pass(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of bytes) {
      this.hash.update(chunk);
      yield chunk;
    }
  }

  /** Once, after the last byte. @throws DomainError `upload.checksum_mismatch` */
  check(): void {
    if (this.hash.digest().equals(this.expected)) return;
    throw new DomainError(
      'upload.checksum_mismatch',
      'The bytes that arrived are not those of Upload-Checksum. None of them was kept; send them again.',
    );
  }
}
