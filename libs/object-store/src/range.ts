import type { ByteRange } from '@millrace/domain';

/** @throws RangeError for what is no range of bytes: a programmer's error */
export function checkRange({ start, end }: ByteRange): void {
  if (Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && end >= start) return;
  throw new RangeError(`Not a range of bytes: ${start} to ${end}`);
}
