import { DomainError, type ByteStream } from '@millrace/domain';

/**
 * Passes a stream on and throws `upload.interrupted` when it pauses for too long, or breaks off: a client that went
 * away without a word must not hold a lease for ever.
 *
 * @param idleMs longest pause between two chunks; time that the reader takes does not count
 */
export async function* withIdleTimeout(body: ByteStream, idleMs: number): AsyncGenerator<Uint8Array> {
  const chunks = body[Symbol.asyncIterator]();
  for (;;) {
    const next = await within(chunks.next(), idleMs);
    if (next.done) return;
    yield next.value;
  }
}

async function within<T>(next: Promise<T>, idleMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(interrupted(`Nothing arrived for ${idleMs} ms.`)), idleMs);
  });
  try {
    return await Promise.race([next, silence]);
  } catch (error) {
    throw error instanceof DomainError ? error : interrupted('The connection broke off.', error);
  } finally {
    clearTimeout(timer);
  }
}

function interrupted(reason: string, cause?: unknown): DomainError {
  return new DomainError('upload.interrupted', `${reason} Nothing was kept; send the file again.`, { cause });
}
