import { parse } from 'range-parser';
import { DomainError, type ByteRange } from '@millrace/domain';

/** A range that begins behind the last byte. */
export class UnsatisfiableRangeError extends DomainError {
  constructor(readonly sizeBytes: number) {
    super('range.not_satisfiable', `There are ${sizeBytes} bytes, from 0 to ${sizeBytes - 1}.`);
  }
}

/**
 * The range of bytes that a request asks for (RFC 9110, 14.2); undefined when all are to be sent: also for a header that
 * is no range of bytes, and for several ranges, as a server may.
 *
 * @throws UnsatisfiableRangeError
 */
export function parseByteRange(header: string | undefined, sizeBytes: number): ByteRange | undefined {
  if (header === undefined) return undefined;
  const { code, type, ranges } = parse(sizeBytes, header);
  const isMalformed = (code & 1) !== 0;
  if (type !== 'bytes' || isMalformed) return undefined;
  const [range, ...others] = ranges;
  if (range === undefined) throw new UnsatisfiableRangeError(sizeBytes);
  return others.length === 0 ? range : undefined;
}
