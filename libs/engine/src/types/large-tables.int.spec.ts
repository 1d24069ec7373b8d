import { createHash } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { PoolFixture } from '../../test/pool-fixture.js';
import { DEFAULT_ENGINE_OPTIONS } from '../pool/engine-options.js';
import type { QueryResult } from '../tasks/query.task.js';

const MiB = 1024 ** 2;
/** For statements that are heavy work for DuckDB itself, on a machine that has other work. */
const HEAVY_MS = 150_000;

describe('a result', () => {
  let fixture: PoolFixture;
  // Each has new processes: what a large statement leaves in the memory of one counts against the next.
  beforeEach(async () => {
    fixture = await PoolFixture.open({ memoryBytes: DEFAULT_ENGINE_OPTIONS.memoryBytes, childrenMax: 1 });
  });
  afterEach(() => fixture.close());

  const query = (sql: string, of?: QueryResult): Promise<QueryResult> => {
    const inputs = of ? [{ schema: 'results' as const, table: 'r', files: [of.filePath], columns: of.columns }] : [];
    return fixture.query(sql, { inputs, answerBytesMax: 8 * MiB, deadlineMs: HEAVY_MS });
  };
  const ndjson = async ({ filePath, columns }: QueryResult): Promise<string> => {
    const request = { files: [filePath], columns, format: 'ndjson' as const };
    const { body } = await fixture.pool.export(request, { tenantId: 'tenant-a', deadlineMs: HEAVY_MS });
    return text(body);
  };
  const read = ({ filePath, columns }: QueryResult) =>
    fixture.pool.run(
      { kind: 'read', files: [filePath], columns, offset: 0, limit: 10, answerBytesMax: 8 * MiB },
      { tenantId: 'tenant-a', deadlineMs: HEAVY_MS },
    );

  it(
    'can have 10,000 columns',
    async () => {
      const values = Array.from({ length: 10_000 }, (_, index) => index);
      const result = await query(
        `SELECT ${values.map((value) => `${value}${value % 50 === 0 ? '::HUGEINT' : ''} AS c${value}`).join(', ')}`,
      );
      expect(JSON.parse(result.rowsJson)).toEqual([values]);
      expect(result.columns[50]).toEqual({ name: 'c50', type: 'HUGEINT', nullable: true });
      expect(JSON.parse((await read(result)).rowsJson)).toEqual([values]);
      expect(JSON.parse((await query('SELECT c0, c9999, c50 FROM results.r', result)).rowsJson)).toEqual([
        [0, 9999, 50],
      ]);
    },
    2 * HEAVY_MS,
  );

  it(
    'can hold 50 MB in one row, of which an answer says that it is left out',
    async () => {
      const result = await query(`SELECT repeat('é ', 16666666) AS long, [1::HUGEINT] AS short`);
      expect(result).toMatchObject({ rowCount: 1, rowsReturned: 0, truncated: true, rowsJson: '[]' });
      expect(await read(result)).toMatchObject({ rowsReturned: 0, totalRowCount: 1, truncated: true });
      const value = 'é '.repeat(16_666_666);
      const [[length, hash] = []] = JSON.parse(
        (await query('SELECT length(long), md5(long) FROM results.r', result)).rowsJson,
      ) as unknown[][];
      expect([length, hash]).toEqual([value.length, createHash('md5').update(value).digest('hex')]);
      const row = JSON.parse(await ndjson(result)) as { long: string; short: unknown };
      expect(row.short).toEqual([1]);
      expect(row.long === value).toBe(true);
    },
    2 * HEAVY_MS,
  );
});
