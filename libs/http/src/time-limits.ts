import { Readable } from 'node:stream';
import { DomainError, type ByteStream, type ErrorCode } from '@millrace/domain';

export interface TimeLimits {
  /** Longest pause between two chunks; time that the reader takes does not count. */
  readonly idleMs: number;
  /** Longest time until the end, the reader's included. */
  readonly totalMs?: number;
  /** The code of the error when time is up or the connection breaks off. */
  readonly code: ErrorCode;
  /** Ends the waiting for a body that nobody wants any more. */
  readonly signal?: AbortSignal;
}

/**
 * Passes a body on until its time is up: a client that went away without a word must not hold anything for ever. The
 * body itself is never destroyed, because a request takes its connection along, and the answer with that.
 *
 * @throws DomainError with the code given
 */
export async function* withTimeLimits(body: ByteStream, limits: TimeLimits): AsyncGenerator<Uint8Array> {
  const chunks = chunksOf(body);
  const deadline = performance.now() + (limits.totalMs ?? Infinity);
  let isPending = false;
  try {
    for (;;) {
      isPending = true;
      const waitMs = Math.min(limits.idleMs, deadline - performance.now());
      const next = await within(chunks.next(), waitMs, limits);
      isPending = false;
      if (next.done) return;
      yield next.value;
    }
  } finally {
    // One that still waits for its next chunk could not end before that comes.
    if (!isPending) await chunks.return?.();
  }
}

function chunksOf(body: ByteStream): AsyncIterator<Uint8Array> {
  if (body instanceof Readable) return body.iterator({ destroyOnReturn: false }) as AsyncIterator<Uint8Array>;
  return body[Symbol.asyncIterator]();
}

async function within<T>(
  next: Promise<T>,
  waitMs: number,
  { code, signal }: Pick<TimeLimits, 'code' | 'signal'>,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  let onAbort = (): void => undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(interrupted(code, 'It took too long to arrive.')), Math.max(0, waitMs));
    onAbort = () => reject(interrupted(code, 'Nobody waits for it any more.', signal?.reason));
    if (signal?.aborted) onAbort();
    else signal?.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([next, silence]);
  } catch (error) {
    throw error instanceof DomainError ? error : interrupted(code, 'The connection broke off.', error);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}

function interrupted(code: ErrorCode, reason: string, cause?: unknown): DomainError {
  return new DomainError(code, `${reason} Nothing was kept; send it again.`, { cause });
}
