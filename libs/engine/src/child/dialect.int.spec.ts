import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { recognizeStatement } from '@millrace/sql';
import { rm } from 'node:fs/promises';
import { DIALECT, DIALECT_TABLES, type DialectCase } from '../../test/dialect-cases.js';
import { PoolFixture } from '../../test/pool-fixture.js';
import type { TableInput } from '../tasks/table-input.js';
import type { QueryResult } from '../tasks/query.task.js';

describe('a harmless statement', () => {
  let fixture: PoolFixture;
  let raw: DuckDBConnection;
  const inputs: TableInput[] = [];

  beforeAll(async () => {
    fixture = await PoolFixture.open();
    raw = await (await DuckDBInstance.create(':memory:')).connect();
    await raw.run("ATTACH ':memory:' AS datasets");
    for (const [table, select] of Object.entries(DIALECT_TABLES)) {
      const { filePath, columns } = await fixture.query(select);
      inputs.push({ schema: 'datasets', table, files: [filePath], columns });
      await raw.run(`CREATE TABLE datasets.main.${table} AS ${select}`);
    }
  });
  afterAll(async () => {
    raw.closeSync();
    await fixture.close();
  });

  /** The way of a statement: gate, then run with the tables that it names. */
  async function run([original, params]: DialectCase): Promise<QueryResult> {
    const { sql } = recognizeStatement(original);
    const options = { tenantId: 'tenant-a', deadlineMs: 20_000 };
    const { statement } = await fixture.pool.run({ kind: 'parse', sql }, options);
    const names = statement.tables.map(({ name }) => name);
    return fixture.query(sql, { params, inputs: inputs.filter(({ table }) => names.includes(table)) });
  }

  it.each(DIALECT.map((each) => [each[0], each] as const))('answers as DuckDB alone: %s', async (sql, each) => {
    const { columns, rowsJson, filePath } = await run(each);
    await rm(filePath);
    const reader = await raw.runAndReadAll(sql, each[1] && [...each[1]]);
    expect(columns.map(({ name }) => name)).toEqual(reader.columnNames());
    expect(plain(JSON.parse(rowsJson))).toEqual(plain(reader.getRowsJson()));
  });
});

describe('what no tree shows to be wrong', () => {
  let fixture: PoolFixture;

  beforeAll(async () => {
    fixture = await PoolFixture.open();
  });
  afterAll(() => fixture.close());

  it.each([
    ["SELECT 'x'::my_type", 'sql.invalid'],
    ['SELECT NULL::inet', 'sql.invalid'],
    ['SELECT NULL::"/etc/passwd"', 'sql.invalid'],
    ['SELECT \'a\' COLLATE "/etc/passwd"', 'sql.invalid'],
    ["SELECT list_aggregate([1], 'read_csv')", 'function.unknown'],
    ["SELECT list_aggregate(['HOME'], 'getenv')", 'function.unknown'],
    ["PIVOT (SELECT 'A' AS x) ON x IN (upper('a')) USING count(*)", 'sql.invalid'],
    ["SELECT 1 IN '/etc/passwd'", 'sql.syntax'],
    ['SELECT 1 IN secrets', 'column.unknown'],
    ['SELECT current_setting', 'column.unknown'],
    ["SELECT now() AT TIME ZONE '/etc/passwd'", 'sql.invalid'],
  ])('%s ends as a mistake', async (original, code) => {
    const { sql } = recognizeStatement(original);
    const options = { tenantId: 'tenant-a', deadlineMs: 20_000 };
    const run = async (): Promise<unknown> => {
      await fixture.pool.run({ kind: 'parse', sql }, options);
      return fixture.query(sql);
    };
    await expect(run()).rejects.toMatchObject({ code });
  });

  it.each(['filename', 'file_row_number', 'file_index'])(
    'the column %s of a Parquet reader is out of sight',
    async (name) => {
      const { filePath, columns } = await fixture.query('SELECT 1 AS a');
      const inputs: TableInput[] = [{ schema: 'datasets', table: 't', files: [filePath], columns }];
      await expect(fixture.query(`SELECT ${name} FROM datasets.t`, { inputs })).rejects.toMatchObject({
        code: 'column.unknown',
      });
    },
  );
});

/** Values as both write them: numbers as text, times with a `T`, entries of a MAP and members of a UNION by name. */
function plain(value: unknown): unknown {
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string')
    return value.replace(
      /^(\d{4}-\d\d-\d\d) ([\d:]+)(\+00)?$/,
      (_, day, time, zone) => `${day}T${time}${zone ? 'Z' : ''}`,
    );
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}
