import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { chmod, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { QueryResult } from '../tasks/query.task.js';
import type { TableInput } from '../tasks/table-input.js';
import { PoolFixture } from '../../test/pool-fixture.js';

describe('query', () => {
  let fixture: PoolFixture;
  let sales: QueryResult;
  let inputs: TableInput[];

  beforeAll(async () => {
    fixture = await PoolFixture.open();
    sales = await fixture.query("SELECT i AS id, 'région ' || i % 3 AS region, i * 1.5 AS amount FROM range(10) t(i)");
    inputs = [{ schema: 'datasets', table: 'sales', files: [sales.filePath], columns: sales.columns }];
  });
  afterAll(() => fixture.close());

  it('answers with columns, rows and a file', async () => {
    const result = await fixture.query('SELECT region, sum(id) AS total FROM datasets.sales GROUP BY ALL ORDER BY 1', {
      inputs,
    });
    expect(result).toMatchObject({
      columns: [
        { name: 'region', type: 'VARCHAR', nullable: true },
        { name: 'total', type: 'HUGEINT', nullable: true },
      ],
      rowCount: 3,
      rowsReturned: 3,
      truncated: false,
      rowsJson: '[["région 0",18],["région 1",12],["région 2",15]]',
    });
    expect((await stat(result.filePath)).size).toBe(result.sizeBytes);
    expect((await readFile(result.filePath)).subarray(0, 4).toString()).toBe('PAR1');
  });

  it('reads results by their id, and qualified names', async () => {
    const id = 'rslt01jd0000000000000000000000';
    const table: TableInput = { schema: 'results', table: id, files: [sales.filePath], columns: sales.columns };
    expect(await fixture.rows(`SELECT max(results.${id}.id) FROM results.${id}`, { inputs: [table] })).toEqual([[9]]);
    expect(await fixture.rows('SELECT min(sales.id) FROM datasets.main.sales', { inputs })).toEqual([[0]]);
  });

  it('reads a table without files as an empty one', async () => {
    const empty: TableInput = { schema: 'datasets', table: 'empty', files: [], columns: sales.columns };
    expect(await fixture.rows('SELECT count(*) FROM datasets.empty', { inputs: [empty] })).toEqual([[0]]);
  });

  it('keeps a SUM beyond 2^63 exact, in the answer and in the file', async () => {
    const sum = await fixture.query(
      'SELECT sum(x) AS s FROM (VALUES (9223372036854775807), (9223372036854775807)) t(x)',
    );
    expect(sum.rowsJson).toBe('[["18446744073709551614"]]');
    const input: TableInput = { schema: 'datasets', table: 's', files: [sum.filePath], columns: sum.columns };
    expect(
      await fixture.rows('SELECT s - 18446744073709551613, typeof(s) FROM datasets.s', { inputs: [input] }),
    ).toEqual([[1, 'HUGEINT']]);
  });

  it('keeps the order of rows', async () => {
    const result = await fixture.query(
      'SELECT (i * 7919) % 200003 AS x, 1::HUGEINT AS h FROM range(200003) t(i) ORDER BY x DESC',
    );
    const page = await fixture.pool.run(
      {
        kind: 'read',
        files: [result.filePath],
        columns: result.columns,
        offset: 150_000,
        limit: 3,
        answerBytesMax: 10_000,
      },
      { tenantId: 'tenant-a', deadlineMs: 10_000 },
    );
    expect(page).toEqual({
      rowsJson: '[[50002,1],[50001,1],[50000,1]]',
      rowsReturned: 3,
      totalRowCount: 200_003,
      truncated: false,
    });
  });

  it('says when rows are left out', async () => {
    expect(await fixture.query('FROM range(10)', { rowsMax: 4 })).toMatchObject({
      rowCount: 10,
      rowsReturned: 4,
      truncated: true,
    });
    const byBytes = await fixture.query("SELECT repeat('x', 1000) FROM range(500)", { answerBytesMax: 100_000 });
    expect(byBytes).toMatchObject({ rowCount: 500, rowsReturned: 99, truncated: true });
    expect(Buffer.byteLength(byBytes.rowsJson)).toBeLessThanOrEqual(100_000);
    expect(await fixture.query('FROM range(4)', { rowsMax: 4 })).toMatchObject({ rowsReturned: 4, truncated: false });
  });

  it('takes comments, terminators and equal column names', async () => {
    const result = await fixture.query('-- a comment\nSELECT 1 AS a, 2 AS a, 3 AS "A" ; -- the end;');
    expect(result.columns.map(({ name }) => name)).toEqual(['a', 'a', 'A']);
    expect(result.rowsJson).toBe('[[1,2,3]]');
    expect(await fixture.rows(';; /* ; */ SELECT 1;')).toEqual([[1]]);
    const table: TableInput = { schema: 'datasets', table: 't', files: [result.filePath], columns: result.columns };
    expect(await fixture.rows('SELECT a, a_1, "A_2" FROM datasets.t', { inputs: [table] })).toEqual([[1, 2, 3]]);
  });

  it('binds parameters by number and by name', async () => {
    expect(await fixture.rows('SELECT $2, $1, typeof($3), $4', { params: [1, 'é', 2.5, [1, null]] })).toEqual([
      ['é', 1, 'DOUBLE', [1, null]],
    ]);
    expect(
      await fixture.rows('SELECT id FROM datasets.sales WHERE id IN (SELECT unnest($ids)) AND id > $min', {
        inputs,
        params: { ids: [1, 5, 9], min: 4 },
      }),
    ).toEqual([[5], [9]]);
    expect(await fixture.rows('SELECT ?, ?', { params: [9007199254740991, null] })).toEqual([[9007199254740991, null]]);
  });

  it.each<[string, unknown]>([
    ['SELECT $1', undefined],
    ['SELECT $1', []],
    ['SELECT $1', [1, 2]],
    ['SELECT 1', [1]],
    ['SELECT $a', { b: 1 }],
    ['SELECT $a', { a: 1, b: 2 }],
    ['SELECT $a', [1]],
    ['SELECT $1', { a: 1 }],
    ['SELECT $1', [{ a: 1 }]],
    ['SELECT $1', [[1, 'a']]],
    ['SELECT $2', [1]],
    ['SELECT $2', undefined],
    ['SELECT $3, $1', [1, 2, 3]],
    ['SELECT $2, ?', [1, 2]],
  ])('refuses for %j the parameters %j', async (sql, params) => {
    await expect(fixture.query(sql, { params: params as never })).rejects.toMatchObject({ code: 'params.invalid' });
  });

  it.each<[string, unknown, string]>([
    ['SELECT $1', undefined, 'The statement has 1 parameter: give its value in "params".'],
    ['SELECT ?, ?', [], 'The statement has 2 parameters, and "params" has 0 values.'],
    ['SELECT 1', [1], 'The statement has no parameters, and "params" has 1 value.'],
    ['SELECT $1, $4, $3', [1], 'Parameters are numbered without gaps, and the statement has no $2.'],
    ['SELECT $a, $b', { A: 1 }, 'The statement has no parameter $A. It has $a, $b.'],
    ['SELECT 1', { a: 1 }, 'The statement has no parameter $a.'],
  ])('says of %j with the parameters %j how to mend it', async (sql, params, sentence) => {
    await expect(fixture.query(sql, { params: params as never })).rejects.toThrow(sentence);
  });

  it.each([
    ["SELECT 'é😀', nope FROM datasets.sales", 'column.unknown', 1, 14],
    ['SELECT 1\nFROM datasets.salez', 'table.unknown', 2, 6],
    ["SELECT 'é',\n\tsumm(1)", 'function.unknown', 2, 2],
    ["SELECT sum('é'), sum('a')", 'sql.invalid', 1, 8],
    ["SELECT 'é😀' 'b' c d", 'sql.syntax', 1, 13],
    ["SELECT 'é', 'abc'::INTEGER", 'sql.failed', 1, 18],
    ["SELECT 'é', region::INTEGER FROM datasets.sales", 'sql.failed', 1, 19],
  ])('places the error of %j', async (sql, code, line, column) => {
    await expect(fixture.query(sql, { inputs })).rejects.toMatchObject({ code, errors: [{ line, column }] });
  });

  it('refuses a column or a field whose name has a NUL', async () => {
    const sql = `SELECT from_json('{}', '{"a\\u0000b":"INTEGER"}') AS x`;
    await expect(fixture.query(sql)).rejects.toMatchObject({ code: 'sql.invalid' });
  });

  it('keeps the suggestions of DuckDB', async () => {
    await expect(fixture.query('SELECT regio FROM datasets.sales', { inputs })).rejects.toThrow(
      /Candidate bindings.*region/,
    );
  });

  it.each([
    "FROM read_text('/etc/passwd')",
    "FROM read_csv('/etc/passwd')",
    "FROM '/etc/passwd'",
    "FROM glob('/etc/*')",
    "FROM read_text('../inputs/../../../x')",
    "COPY (SELECT 1) TO '/tmp/x.csv'",
    'SET threads = 1',
    'SELECT 1; SELECT 2',
    'INSTALL httpfs',
    '-- nothing',
  ])('refuses %s', async (sql) => {
    const error: unknown = await fixture.query(sql).catch((reason: unknown) => reason);
    expect(String(error)).not.toContain(fixture.folder);
    expect(error).toMatchObject({ code: expect.stringMatching(/^(sql|table)\./) });
  });

  it.each(['DESCRIBE SELECT 1', 'SUMMARIZE SELECT 1', 'SHOW TABLES'])('refuses %s at its first word', async (sql) => {
    await expect(fixture.query(sql)).rejects.toMatchObject({ code: 'sql.syntax', errors: [{ line: 1, column: 1 }] });
  });

  it('refuses a file of the service outside of the inputs', async () => {
    const path = join(fixture.folder, 'secret.csv');
    await writeFile(path, 'a\n1\n');
    await chmod(path, 0o444);
    await expect(fixture.query(`FROM read_csv('${path}')`)).rejects.toMatchObject({ code: 'sql.not_allowed' });
    await expect(fixture.query(`FROM read_parquet('${sales.filePath}')`)).rejects.toMatchObject({
      code: 'sql.not_allowed',
    });
  });

  it('leaves the inputs as they are', async () => {
    const digest = async (): Promise<string> =>
      createHash('sha256')
        .update(await readFile(sales.filePath))
        .digest('hex');
    const before = await digest();
    await fixture.rows('SELECT count(*) FROM datasets.sales', { inputs });
    expect(await digest()).toBe(before);
    expect((await stat(sales.filePath)).mode & 0o777).toBe(0o444);
  });

  it('ends a statement whose file grows too large', async () => {
    const sql = 'SELECT i, hash(i) FROM range(20000000) t(i)';
    await expect(fixture.query(sql, { resultBytesMax: 1_000_000 })).rejects.toMatchObject({
      code: 'query.result_too_large',
    });
  });

  it('says that a table file is missing or damaged without its path', async () => {
    const path = join(fixture.folder, 'bad.parquet');
    await writeFile(path, 'PAR1 no parquet PAR1');
    const bad = { schema: 'datasets' as const, table: 'bad', columns: sales.columns, files: [path] };
    await expect(fixture.query('FROM datasets.bad', { inputs: [bad] })).rejects.toMatchObject({
      code: 'result.corrupt',
    });
    await rm(path);
    await expect(fixture.query('FROM datasets.bad', { inputs: [bad] })).rejects.toMatchObject({
      code: 'storage.object_missing',
    });
  });
});
