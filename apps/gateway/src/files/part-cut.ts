import { PARTS_MAX } from '@millrace/contract';
import { DomainError, type DirectPart } from '@millrace/domain';

const MiB = 1024 * 1024;

/** Small enough to be sent again after a break, large enough that a file of 50 GiB has a few thousand. */
const PART_BYTES_MIN = 16 * MiB;

/** How large the parts of a file are: whole MiB, and as few as the store takes. */
export function partSizeOf(sizeBytes: number): number {
  return Math.max(PART_BYTES_MIN, Math.ceil(sizeBytes / PARTS_MAX / MiB) * MiB);
}

export interface FileCut {
  readonly sizeBytes: number;
  readonly partSizeBytes: number;
}

export function partCountOf({ sizeBytes, partSizeBytes }: FileCut): number {
  return Math.ceil(sizeBytes / partSizeBytes);
}

/** One part of a file, by its number. @throws DomainError `request.invalid` when the file has fewer */
export function partOf(file: FileCut, number: number): DirectPart {
  const count = partCountOf(file);
  if (number > count) {
    throw new DomainError('request.invalid', `There is no part ${number}: the file has ${count} parts.`);
  }
  const { sizeBytes, partSizeBytes } = file;
  return { number, sizeBytes: number < count ? partSizeBytes : sizeBytes - (count - 1) * partSizeBytes };
}
