import { DomainError } from '@millrace/domain';

const FULL_CODES: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT']);

export function storageFull(cause: unknown): DomainError {
  return new DomainError('storage.full', 'A disk of the server is full. Try again when there is room.', { cause });
}

/** Whether a call of the file system failed because there is no room. */
export function isNoSpace(error: unknown): boolean {
  return FULL_CODES.has(codeOf(error));
}

/** What a failed call of the file system means for a task whose files are brought to a child. */
export function toStagingError(error: unknown): unknown {
  if (error instanceof DomainError || codeOf(error) === undefined) return error;
  if (isNoSpace(error)) return storageFull(error);
  if (codeOf(error) === 'ENOENT') {
    return new DomainError('storage.object_missing', 'An input file is missing.', { cause: error });
  }
  return new DomainError('storage.unavailable', 'The files of the task can not be moved. Try again in a moment.', {
    cause: error,
  });
}

/** Not by `instanceof Error`: the file system's errors may come from another realm than this module (test runners). */
function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}
