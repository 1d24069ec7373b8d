import { describe, expect, it } from '@jest/globals';
import { toStatementError } from './statement-error.js';
import { toStorageFull } from './storage-full.js';
import { toTaskError } from './task-error.js';

/** What DuckDB 1.5.6 said on a full tmpfs: of a COPY, and of a sort that spilled; and its form without JSON. */
const RECORDED = [
  String.raw`{"exception_type":"IO","exception_message":"Could not write file \"/w/scratch/0f.parquet\": No space left on device","errno":"28"}`,
  String.raw`{"exception_type":"IO","exception_message":"Could not write file \"/w/scratch/tmp/duckdb_temp_storage_DEFAULT-0.tmp\": No space left on device","errno":"28"}`,
  'IO Error: Could not write file "/w/scratch/0f.parquet": No space left on device',
  'IO Error: Could not write file "/w/scratch/0f.parquet": Disk quota exceeded',
];

describe('a full disk', () => {
  it.each(RECORDED)('is told as one, without the name of a file: %s', (message) => {
    const error = new Error(message);
    for (const told of [toStorageFull(error), toStatementError(error, { sql: 'SELECT 1', prefixBytes: 0 })]) {
      expect(told).toMatchObject({ code: 'storage.full', message: expect.not.stringContaining('scratch') });
    }
    for (const kind of ['query', 'read', 'convert'] as const) {
      expect(toTaskError(error, kind, [])).toMatchObject({ error: { code: 'storage.full' }, fault: undefined });
    }
  });

  it.each(['ENOSPC', 'EDQUOT'])('is told by the system, too: %s', (code) => {
    expect(toStorageFull(Object.assign(new Error(code), { code }))).toMatchObject({ code: 'storage.full' });
  });

  it.each([
    '{"exception_type":"Invalid Input","exception_message":"No space left on device"}',
    'Invalid Input Error: IO Error: No space left on device',
    'IO Error: Could not read file "/w/inputs/a": Input/output error',
    'ENOSPC',
  ])('is not what merely speaks of it: %s', (message) => {
    expect(toStorageFull(new Error(message))).toBeUndefined();
  });
});
