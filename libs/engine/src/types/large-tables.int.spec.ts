import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { tableFromIPC } from 'apache-arrow';
import { csvRows, TEXT_FORMATS } from '../../test/exported-rows.js';
import { PoolFixture } from '../../test/pool-fixture.js';
import { DEFAULT_ENGINE_OPTIONS } from '../pool/engine-options.js';
import type { ExportFormat } from '../tasks/export.task.js';
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
  const exported = async ({ filePath, columns }: QueryResult, format: ExportFormat): Promise<Buffer> => {
    const request = { files: [filePath], columns, format };
    const { body } = await fixture.pool.export(request, { tenantId: 'tenant-a', deadlineMs: HEAVY_MS });
    return buffer(body);
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
    'can leave with 10,000 columns in every format',
    async () => {
      const [width, height] = [10_000, 8];
      const cells = Array.from({ length: width }, (_, index) => {
        const cell = `r * ${width} + ${index}`;
        return `${index % 50 === 0 ? `(${cell})::HUGEINT` : cell} AS c${index}`;
      });
      const result = await query(`SELECT ${cells.join(', ')} FROM range(${height}) t(r)`);
      const rows = Array.from({ length: height }, (_, row) => cells.map((_, index) => row * width + index));
      for (const { format, rows: parse } of TEXT_FORMATS) {
        expect(parse(String(await exported(result, format)))).toEqual(rows);
      }
      const csv = String(await exported(result, 'csv'));
      expect(csvRows(csv).map((row) => row.map(Number))).toEqual(rows);
      const arrow = tableFromIPC(await exported(result, 'arrow'));
      const columns = cells.map((_, index) => Array.from(arrow.getChildAt(index) ?? [], Number));
      expect(rows.map((_, row) => columns.map((column) => column[row]))).toEqual(rows);
    },
    2 * HEAVY_MS,
  );

  it(
    'can hold 50 MB in one row, of which an answer says that it is left out',
    async () => {
      const result = await query(`SELECT repeat('é' || chr(10), 16666666) AS long, [1::HUGEINT] AS short`);
      expect(result).toMatchObject({ rowCount: 1, rowsReturned: 0, truncated: true, rowsJson: '[]' });
      expect(await read(result)).toMatchObject({ rowsReturned: 0, totalRowCount: 1, truncated: true });
      const value = 'é\n'.repeat(16_666_666);
      const [[length, hash] = []] = JSON.parse(
        (await query('SELECT length(long), md5(long) FROM results.r', result)).rowsJson,
      ) as unknown[][];
      expect([length, hash]).toEqual([value.length, createHash('md5').update(value).digest('hex')]);
      const row = JSON.parse(String(await exported(result, 'ndjson'))) as { long: string; short: unknown };
      expect(row.short).toEqual([1]);
      expect(row.long === value).toBe(true);
    },
    2 * HEAVY_MS,
  );

  it.each([
    ['csv', (row: number, text: string) => `${row},"${text}"`, (text: string) => text.replaceAll('"', '""')],
    [
      'ndjson',
      (row: number, text: string) => `{"r":${row},"s":"${text}"}`,
      (text: string) => text.replaceAll('"', '\\"'),
    ],
    ['arrays', (row: number, text: string) => `[${row},"${text}"]`, (text: string) => text.replaceAll('"', '\\"')],
  ] as const)(
    'can leave as %s with rows of 50 MB of quotes between others',
    async (format, line, escaped) => {
      const value = "CASE r WHEN 3000 THEN repeat('é\"\"', 12500000) ELSE r || '\"' END";
      const result = await query(`SELECT r, ${value} AS s FROM range(4000) t(r)`);
      const hash = createHash('sha256');
      for (let row = 0; row < 4_000; row += 1) {
        hash.update(line(row, escaped(row === 3_000 ? 'é""'.repeat(12_500_000) : `${row}"`)));
      }
      const lines = String(await exported(result, format)).split('\n');
      const rows =
        format === 'csv' ? lines.slice(1, -1) : format === 'ndjson' ? lines.slice(0, -1) : lines.slice(0, -2);
      const found = createHash('sha256');
      for (const row of rows) found.update(format === 'arrays' ? row.slice(1) : row);
      expect([rows.length, found.digest('hex')]).toEqual([4_000, hash.digest('hex')]);
    },
    2 * HEAVY_MS,
  );

  it(
    'can leave with equal texts in all rows, which are one in the file',
    async () => {
      const result = await query(`SELECT r, repeat('x', 1000000) AS s FROM range(500) t(r)`);
      expect(result.sizeBytes).toBeLessThan(MiB);
      const found = createHash('sha256').update(await exported(result, 'csv'));
      const expected = createHash('sha256').update('r,s\n');
      for (let row = 0; row < 500; row += 1) expected.update(`${row},${'x'.repeat(1_000_000)}\n`);
      expect(found.digest('hex')).toBe(expected.digest('hex'));
    },
    2 * HEAVY_MS,
  );

  it(
    'is a page of as many rows of megabytes as fit',
    async () => {
      const result = await query('SELECT r, repeat(chr(10), r * 1000000) AS s FROM range(1, 12) t(r)');
      const rows = [1, 2].map((row) => [row, '\n'.repeat(row * 1_000_000)]);
      expect(await read(result)).toMatchObject({ rowsJson: JSON.stringify(rows), rowsReturned: 2, truncated: true });
    },
    2 * HEAVY_MS,
  );

  it(
    'can hold 80 MB in one row, which is no page of any size',
    async () => {
      for (const text of ["repeat('x', 80000000)", 'repeat(chr(1), 12000000)']) {
        const result = await query(`SELECT ${text} AS long`);
        const { filePath, columns } = result;
        const page = await fixture.pool.run(
          { kind: 'read', files: [filePath], columns, offset: 0, limit: 1, answerBytesMax: 64 * MiB },
          { tenantId: 'tenant-a', deadlineMs: HEAVY_MS },
        );
        expect(page).toMatchObject({ rowsReturned: 0, totalRowCount: 1, truncated: true });
      }
    },
    2 * HEAVY_MS,
  );
});
