import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { Analyst, type Reading, type TableSeen } from './harness/analyst.js';
import { startMillrace, type MillraceUnderTest } from './harness/millrace.js';
import { storedFile } from './harness/stored-files.js';

/** Each column of the files `every-type-….parquet`, by hand: see `fixtures/make-parquet.py`. */
const everyType: [name: string, type: string, values: unknown[]][] = [
  ['bool', 'BOOLEAN', [true, null, false]],
  ['i8', 'TINYINT', [-128, null, 127]],
  ['i16', 'SMALLINT', [-32_768, null, 32_767]],
  ['i32', 'INTEGER', [-2_147_483_648, null, 2_147_483_647]],
  ['i64', 'BIGINT', ['-9223372036854775808', null, '9223372036854775807']],
  ['u8', 'UTINYINT', [0, null, 255]],
  ['u16', 'USMALLINT', [0, null, 65_535]],
  ['u32', 'UINTEGER', [0, null, 4_294_967_295]],
  ['u64', 'UBIGINT', [0, null, '18446744073709551615']],
  ['f16', 'FLOAT', [1.5, null, -0.25]],
  ['f32', 'FLOAT', [0.1, null, 'NaN']],
  ['f64', 'DOUBLE', [0.1, null, 'Infinity']],
  ['decimal_short', 'DECIMAL(7,2)', [1.5, null, -99_999.99]],
  ['decimal_long', 'DECIMAL(38,9)', ['12345678901234567890.123456789', null, -1e-9]],
  ['text', 'VARCHAR', ['é𝄞', null, '']],
  ['large_text', 'VARCHAR', ['a\nb', null, 'x'.repeat(300)]],
  ['bytes', 'BLOB', ['AP8=', null, '']],
  ['bytes_fixed', 'BLOB', ['YWJjZA==', null, 'AAAAAA==']],
  ['date', 'DATE', ['2020-02-29', null, '0001-01-01']],
  ['time_ms', 'TIME', ['12:30:00', null, '23:59:59']],
  ['time_us', 'TIME', ['12:30:00.000001', null, '00:00:00']],
  ['time_ns', 'TIME_NS', ['12:30:00.000000001', null, '00:00:00']],
  ['ts_ms', 'TIMESTAMP', ['2020-02-29T12:00:00.123', null, '1969-12-31T23:59:59.999']],
  ['ts_us', 'TIMESTAMP', ['2020-02-29T12:00:00.123456', null, '1969-12-31T23:59:59.999999']],
  ['ts_ns', 'TIMESTAMP_NS', ['2020-02-29T12:00:00.123456789', null, '1969-12-31T23:59:59.999999999']],
  ['ts_zone', 'TIMESTAMP WITH TIME ZONE', ['2020-02-29T12:00:00.123456Z', null, '1970-01-01T00:00:00Z']],
  ['dictionary', 'VARCHAR', ['a', null, 'b']],
  ['list', 'BIGINT[]', [[1, null, 3], null, []]],
  ['list_of_lists', 'VARCHAR[][]', [[['a'], []], null, [null]]],
  ['struct', 'STRUCT(x INTEGER, y VARCHAR)', [{ x: 1, y: 'a' }, null, { x: null, y: 'b' }]],
  ['list_of_structs', 'STRUCT(k TINYINT)[]', [[{ k: 1 }], null, [null, { k: null }]]],
  ['map', 'MAP(VARCHAR, BIGINT)', [[{ key: 'a', value: 1 }, { key: 'b', value: null }], null, []]], // prettier-ignore
  ['nothing', 'INTEGER', [null, null, null]],
  ['list_fixed', 'INTEGER[]', [[1, 2], null, [3, 4]]],
];

describe('a Parquet file', () => {
  let millrace: MillraceUnderTest;
  let analyst: Analyst;
  let tenantId: string;

  beforeAll(async () => {
    millrace = await startMillrace();
    const tenant = await millrace.newTenant();
    tenantId = tenant.tenantId;
    analyst = new Analyst(tenant.asAdmin);
  });
  afterAll(() => millrace.stop());

  const fixture = async (name: string): Promise<Uint8Array<ArrayBuffer>> =>
    Uint8Array.from(await readFile(fileURLToPath(new URL(`fixtures/${name}.parquet`, import.meta.url))));
  const read = async (name: string, reading?: Reading): Promise<TableSeen> =>
    analyst.tableOf({ bytes: await fixture(name) }, reading);

  it.each(['none', 'snappy', 'gzip', 'brotli', 'lz4', 'zstd', 'pages-2'])(
    'of another writer keeps its values, whatever its type: %s',
    async (kind) => {
      const { columns, rows } = await read(`every-type-${kind}`);
      expect(columns).toEqual(everyType.map(([name, type]) => `${name} ${type}?`));
      expect(columns.map((_, index) => rows.map((row) => row[index]))).toEqual(everyType.map(([, , values]) => values));
    },
  );

  it('keeps timestamps of the old kind', async () => {
    const { rows, columns } = await read('int96');
    const fine = columns[0] === 'at TIMESTAMP_NS?';
    expect(rows).toEqual(
      fine
        ? [['2020-02-29T12:00:00.123456789'], [null], ['1969-12-31T23:59:59.999999999']]
        : [['2020-02-29T12:00:00.123456'], [null], ['1969-12-31T23:59:59.999999']],
    );
  });

  it('without rows has none', async () => {
    const refused = await analyst.refusalOf({ bytes: await fixture('no-rows') });
    expect(refused.problem).toMatchObject({ status: 400, code: 'conversion.no_rows' });
  });

  it('with equal names and an empty one gets a name for each column', async () => {
    const { rows, columns } = await read('equal-names');
    expect(rows).toEqual([[1, 2, 3, 4]]);
    expect(new Set(columns.map((column) => column.toLowerCase())).size).toBe(4);
    expect(columns[0]).toBe('a BIGINT');
  });

  it('with a DECIMAL beyond 38 digits is refused, not rounded', async () => {
    const { problem } = await analyst.refusalOf({ bytes: await fixture('decimal-50') });
    expect(problem).toMatchObject({
      ...{ status: 422, code: 'conversion.failed', detail: expect.stringContaining('DECIMAL(50,0)') },
      errors: [{ column_name: 'long' }],
    });
  });

  it('with an instant finer than a microsecond says that the rest is cut off', async () => {
    const { rows, columns, dataset } = await read('nanoseconds-utc');
    expect(columns).toEqual(['at TIMESTAMP WITH TIME ZONE']);
    expect(rows).toEqual([['2020-02-29T12:00:00.123456Z'], ['1970-01-01T00:00:00Z']]);
    expect(dataset.warnings).toEqual([expect.stringMatching(/"at".*microsecond/)]);
  });

  it('can have its types pinned where that changes no value', async () => {
    const { columns } = await read('every-type-snappy', {
      columns: { i8: { type: 'INTEGER' }, u32: { type: 'VARCHAR' } },
    });
    expect(columns).toEqual(expect.arrayContaining(['i8 INTEGER?', 'u32 VARCHAR?']));
    const { problem } = await analyst.refusalOf(
      { bytes: await fixture('every-type-snappy') },
      { columns: { f64: { type: 'DECIMAL(4,0)' } } },
    );
    expect(problem).toMatchObject({ status: 422, code: 'conversion.failed', errors: [{ column_name: 'f64' }] });
  });

  it('that Millrace wrote for a result can be uploaded again', async () => {
    const sql = `SELECT 42::TINYINT AS tiny, 'é' AS text, TRUE AS bool, 1.5::FLOAT AS float, 1e300 AS double,
      12.34::DECIMAL(9,2) AS money, DATE '2020-02-29' AS day, TIME '12:30:00.000001' AS time,
      TIMESTAMP '2020-02-29 12:00:00.123456' AS at, TIMESTAMPTZ '2020-02-29 12:00:00+02' AS instant,
      '\\xAA'::BLOB AS bytes, uuid '550e8400-e29b-41d4-a716-446655440000' AS id, [1, NULL] AS list,
      {'a': 1, 'b': [{'c': 'x'}]} AS record, MAP {'k': 1} AS map`;
    const answer = await analyst.ask(sql);
    await eventually('the result is ready', async () => {
      const { body } = await analyst.client.call('result.get', { path: { id: answer.result_id } });
      return body.status === 'ready';
    });
    const bytes = await storedFile(millrace.store, `t/${tenantId}/results/${answer.result_id}-`);
    const { dataset, rows } = await analyst.tableOf({ bytes });
    expect(dataset.columns.map(({ type }) => type)).toEqual(answer.types);
    expect(rows).toEqual(answer.rows);
  });
});
