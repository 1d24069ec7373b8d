import { DomainError, type ErrorCode } from '@millrace/domain';

const CODES: Readonly<Record<string, ErrorCode>> = {
  ENOSPC: 'storage.full',
  EDQUOT: 'storage.full',
  // Beyond what the file system, or a limit of this process, lets one file have.
  EFBIG: 'storage.full',
  ENOENT: 'storage.object_missing',
};

const DETAILS: Partial<Record<ErrorCode, string>> = {
  'storage.full': 'The disk of the object store is full. Free some space, then try again.',
  'storage.object_missing': 'A file that should be in the object store is not there.',
};

/** The `code` of an error of Node's file system calls, such as `ENOENT`. */
export function systemCode(error: unknown): string | undefined {
  // Not `instanceof Error`: the file system's errors may come from another realm than this module (test runners).
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

/** An I/O error of the store as a DomainError; keys and paths stay in the cause, which people outside never see. */
export function storageError(error: unknown): DomainError {
  if (error instanceof DomainError) return error;
  const code = CODES[systemCode(error) ?? ''] ?? 'storage.unavailable';
  return new DomainError(code, DETAILS[code] ?? 'The object store does not answer. Try again in a moment.', {
    cause: error,
  });
}

/** Runs calls of the file system and turns their errors into DomainErrors. */
export async function withStorageErrors<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw storageError(error);
  }
}
