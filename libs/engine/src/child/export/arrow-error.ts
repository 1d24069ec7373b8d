import { DomainError } from '@millrace/domain';
import { faultError } from '../../pool/fault-error.js';

interface Thrown {
  readonly name?: string;
  readonly message?: string;
  readonly code?: string;
}

/**
 * What an error on the way to Arrow means. Out of memory, the WebAssembly module stops at an `unreachable`, and V8 has no
 * room for a buffer: both leave a process that can't go on.
 */
export function toArrowError(error: unknown): unknown {
  if (error instanceof DomainError) return error;
  const { name, message = '', code } = error as Thrown;
  if (name === 'AbortError' || code === 'EPIPE') return faultError('export', 'cancelled');
  const isOutOfMemory = name === 'RuntimeError' || code === 'ERR_MEMORY_ALLOCATION_FAILED';
  if (isOutOfMemory || /allocation failed|out of memory/i.test(message)) return faultError('export', 'memory');
  return error;
}

/** The same for one of the Parquet reader, whose own errors have neither a class nor a code. */
export function toReadError(error: unknown): unknown {
  const known = toArrowError(error);
  if (known instanceof DomainError) return known;
  return new DomainError('result.corrupt', 'A stored file can not be read.', { cause: error });
}
