import type { DomainError } from '@millrace/domain';
import { isNoSpace, storageFull } from '../pool/system-error.js';
import { readDuckdbError } from './duckdb-error.js';

/**
 * The error for a disk that is full, of DuckDB (a file that it writes, or what it spills) or of the system; undefined for
 * any other. Asked first wherever an error is explained: it is nobody's mistake, and has the name of a file of ours.
 */
export function toStorageFull(error: unknown): DomainError | undefined {
  const duckdb = readDuckdbError(error);
  const isFull = duckdb?.type === 'IO' && /No space left on device|Disk quota exceeded/i.test(duckdb.message);
  return isFull || isNoSpace(error) ? storageFull(error) : undefined;
}
