import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type RecordBatch, RecordBatchReader, type Schema, tableFromIPC } from 'apache-arrow';
import { ExportFixture, type StoredTable } from '../../test/export-fixture.js';

/** SQL → its type in Arrow, and its value as the text of what lies there. */
const VALUES: readonly (readonly [sql: string, type: string, value: unknown])[] = [
  ['true', 'Bool', true],
  ['(-128)::TINYINT', 'Int8', -128],
  ['(-9223372036854775808)::BIGINT', 'Int64', -9223372036854775808n],
  ['18446744073709551615::UBIGINT', 'Uint64', 18446744073709551615n],
  ['170141183460469231731687303715884105727::HUGEINT', 'Utf8', '170141183460469231731687303715884105727'],
  ['sum(7::INTEGER)', 'Utf8', '7'],
  ["'-0.0000000001'::DECIMAL(38,10)", 'Decimal[38e+10]', new Uint32Array([2 ** 32 - 1, 2 ** 32 - 1, 2 ** 32 - 1, 2 ** 32 - 1])], // prettier-ignore
  ['1.5::DECIMAL(4,1)', 'Decimal[4e+1]', new Uint32Array([15, 0, 0, 0])],
  ['0.1::FLOAT', 'Float32', Math.fround(0.1)],
  ["'-inf'::DOUBLE", 'Float64', Number.NEGATIVE_INFINITY],
  ["'é' || chr(0)", 'Utf8', 'é\0'],
  ["''", 'Utf8', ''],
  ["'a\\x00\\xFF'::BLOB", 'Binary', new Uint8Array([97, 0, 255])],
  ["DATE '2020-02-29'", 'Date32<DAY>', Date.UTC(2020, 1, 29)],
  ["TIME '12:00:00.5'", 'Time64<MICROSECOND>', 43_200_500_000n],
  ["TIMESTAMP '2020-02-29 12:00:00.123456'", 'Timestamp<MICROSECOND>', Date.UTC(2020, 1, 29, 12) + 123.456],
  ["'2020-02-29 12:00:00.5+02'::TIMESTAMPTZ", 'Timestamp<MICROSECOND, UTC>', Date.UTC(2020, 1, 29, 10) + 500],
  ["'2020-02-29 12:00:00.123'::TIMESTAMP_MS", 'Timestamp<MILLISECOND>', Date.UTC(2020, 1, 29, 12) + 123],
  ["'12:00:00+02'::TIMETZ", 'Utf8', '12:00:00+02:00'],
  ["'b'::ENUM('a', 'b')", 'Utf8', 'b'],
  ["'00000000-0000-0000-0000-00000000000a'::UUID", 'FixedSizeBinary[16]', new Uint8Array([...Array(15).fill(0), 10])],
];

const bigText = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value);

describe('an export as Arrow', () => {
  let fixture: ExportFixture;

  beforeAll(async () => {
    fixture = await ExportFixture.open();
  });
  afterAll(() => fixture.close());

  const read = async (table: StoredTable, limit?: number): Promise<{ schema: Schema; batches: RecordBatch[] }> => {
    const reader = RecordBatchReader.from(await fixture.bytes(table, 'arrow', { limit })).open();
    const { schema } = reader;
    return { schema, batches: [...reader] };
  };
  const rowsOf = async (table: StoredTable): Promise<unknown[]> =>
    tableFromIPC(await fixture.bytes(table, 'arrow')).toArray().map((row) => JSON.parse(JSON.stringify(row, bigText)) as unknown); // prettier-ignore

  it.each(VALUES)('gives %s as %s', async (sql, type, value) => {
    const table = await fixture.store(`SELECT ${sql} AS v`);
    const { schema, batches } = await read(table);
    const [field] = schema.fields;
    expect(String(field?.type)).toBe(type);
    expect(field?.metadata.get('millrace.type')).toBe(table.columns[0]?.type);
    expect(batches[0]?.getChildAt(0)?.get(0)).toEqual(value);
  });

  it('gives nested values in their storage form', async () => {
    const sql = `SELECT [1::HUGEINT, NULL] AS l, {'a': INTERVAL '1 month 2 days', 'b': ['x']} AS s, [1, 2]::INTEGER[2] AS f,
      row(1, 'x') AS r, 'x'::UNION(num INTEGER, str VARCHAR) AS u, NULL AS n`;
    expect(await rowsOf(await fixture.store(sql))).toEqual([
      {
        l: ['1', null],
        s: { a: { months: 1, days: 2, micros: '0' }, b: ['x'] },
        f: [1, 2],
        r: { f1: 1, f2: 'x' },
        u: { tag: 'str', m1: null, m2: 'x' },
        n: null,
      },
    ]);
    const { batches } = await read(await fixture.store("SELECT MAP {'k': 1} AS m"));
    const map = batches[0]?.getChildAt(0)?.get(0) as { toJSON(): unknown };
    expect(map.toJSON()).toEqual({ k: 1 });
  });

  it('keeps NULL, equal names and the order of several files', async () => {
    const first = await fixture.store('SELECT i AS a, nullif(i % 3, 0) AS a FROM range(300000) t(i)');
    const second = await fixture.store('SELECT i AS a, nullif(i % 3, 0) AS a FROM range(300000, 300005) t(i)');
    const { schema, batches } = await read({ ...first, files: [...first.files, ...second.files] });
    expect(schema.fields.map(({ name }) => name)).toEqual(['a', 'a']);
    const column = (index: number): unknown[] => batches.flatMap((batch) => [...(batch.getChildAt(index) ?? [])]);
    expect(column(0).every((value, index) => value === BigInt(index))).toBe(true);
    expect(column(1).every((value, index) => value === (index % 3 === 0 ? null : BigInt(index % 3)))).toBe(true);
    expect(column(0)).toHaveLength(300_005);
  });

  it('has its schema without rows, files or columns', async () => {
    const table = await fixture.store('SELECT 1::HUGEINT AS a, DATE \'2020-01-01\' AS "ä" WHERE false');
    for (const files of [table.files, []]) {
      const { schema, batches } = await read({ ...table, files });
      expect(schema.fields.map(({ name, type }) => [name, String(type)])).toEqual([['a', 'Utf8'], ['ä', 'Date32<DAY>']]); // prettier-ignore
      expect(batches.reduce((count, { numRows }) => count + numRows, 0)).toBe(0);
    }
    expect((await read({ files: [], columns: [] })).schema.fields).toEqual([]);
  });

  it('ends after so many rows as were asked for', async () => {
    const table = await fixture.store('SELECT i FROM range(20000) t(i)');
    for (const limit of [0, 1, 8_192, 10_000]) {
      const { batches } = await read({ ...table, files: [...table.files, ...table.files] }, limit);
      expect(batches.reduce((count, { numRows }) => count + numRows, 0)).toBe(limit);
    }
  });

  it('is refused when a file is damaged', async () => {
    const table = await fixture.store('SELECT 1 AS a');
    const damaged = join(fixture.base.folder, 'damaged.parquet');
    await writeFile(damaged, 'PAR1 nothing PAR1');
    await expect(fixture.start({ ...table, files: [damaged] }, 'arrow')).rejects.toMatchObject({ code: 'result.corrupt' }); // prettier-ignore
  });
});

describe('an export as Arrow with little memory', () => {
  it('is refused, and the next task runs', async () => {
    const roomy = await ExportFixture.open({ childrenMax: 1 });
    const fixture = await ExportFixture.open({ childrenMax: 1, memoryBytes: 256 * 1024 ** 2 });
    try {
      const wide = Array.from({ length: 150 }, (_, index) => `hash(i + ${index}) AS c${index}`).join(', ');
      const table = await roomy.store(`SELECT ${wide} FROM range(122880) t(i)`);
      await expect(fixture.start(table, 'arrow')).rejects.toMatchObject({ code: 'query.memory' });
      expect(await fixture.base.rows('SELECT 42')).toEqual([[42]]);
    } finally {
      await fixture.close();
      await roomy.close();
    }
  });
});
