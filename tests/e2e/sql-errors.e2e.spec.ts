import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Analyst } from './harness/analyst.js';
import { startMillrace, type MillraceUnderTest } from './harness/millrace.js';

/** Lines of a file that everybody on this machine can read, and nobody through SQL. */
const secrets = readFileSync('/etc/passwd', 'utf8').trim().split('\n');

describe('a statement that is wrong', () => {
  let millrace: MillraceUnderTest;
  let analyst: Analyst;

  beforeAll(async () => {
    millrace = await startMillrace();
    analyst = new Analyst((await millrace.newTenant()).asAdmin);
    for (const label of ['Sales', 'Regions']) {
      const content = 'region,amount\nNorth,100\nSouth,70\n';
      await analyst.client.call('dataset.create', { body: { label, source: { inline: { format: 'csv', content } } } });
    }
  });
  afterAll(() => millrace.stop());

  /** What stands before a mistake, and how far it moves the mistake: lines, and characters on its line. */
  const prefixes: [text: string, lines: number, characters: number][] = [
    ['', 0, 0],
    ["'é𝄞日本', ", 0, 8],
    ["'é𝄞', 'two\nlines',\n  ", 2, 2],
    ['/* 日本 */ ', 0, 9],
    ["1, -- 𝄞\r\n\t'ü', ", 1, 6],
  ];

  describe.each<[string, string, string, string]>([
    ['an unknown column', 'regoin FROM datasets.sales', 'column.unknown', '"region"'],
    ['an unknown column of an alias', 's.regoin FROM datasets.sales s', 'column.unknown', 'regoin'],
    ['an unknown function', 'summ(amount) FROM datasets.sales', 'function.unknown', 'Did you mean sum'],
    ['a wrong type', 'sum(region) FROM datasets.sales', 'sql.invalid', 'sum(VARCHAR)'],
    ['a column that is not grouped', 'region, count(*) FROM datasets.sales', 'sql.invalid', 'GROUP BY'],
    ['a word too many', ')', 'sql.syntax', ')'],
  ])('%s', (_, rest, code, hint) => {
    it.each(prefixes)('is found behind %j', async (prefix, lines, characters) => {
      const problem = await analyst.refusedSql(`SELECT ${prefix}${rest}`);
      expect(problem).toMatchObject({
        ...{ status: 422, code, retryable: false, detail: expect.stringContaining(hint) },
        errors: [{ line: 1 + lines, column: 1 + characters + (lines === 0 ? 'SELECT '.length : 0) }],
      });
    });
  });

  it.each<[string, string, string, number, number]>([
    ['an unknown table', 'SELECT * FROM datasets.sles', 'datasets.sales', 1, 15],
    [
      'an unknown table behind other letters, on a later line',
      "SELECT 'é𝄞',\n  1 FROM datasets.sles",
      'datasets.sales',
      2,
      10,
    ],
    [
      'an unknown table in a subquery',
      'SELECT 1\nWHERE 1 IN (\nSELECT x FROM datasets.region)',
      'datasets.regions',
      3,
      15,
    ],
    ['an unknown table beside a known one', 'FROM datasets.sales\nJOIN datasets.nope USING (region)', 'nope', 2, 6],
    ['a table without its schema', 'SELECT * FROM sales', 'datasets.sales', 1, 15],
    ['an unknown schema', 'SELECT * FROM sale.sales', 'sale.sales', 1, 15],
    ['a result that is none', 'SELECT * FROM results.sales', 'results.sales', 1, 15],
    ['a CTE outside of its scope', 'SELECT * FROM (WITH t AS (SELECT 1) FROM t), t', 't', 1, 46],
  ])('names %s', async (_, sql, hint, line, column) => {
    const problem = await analyst.refusedSql(sql);
    expect(problem).toMatchObject({ status: 422, code: 'table.unknown', errors: [{ line, column }] });
    expect(problem.detail).toContain(hint);
  });

  it.each<[string, string, number, number]>([
    ['a misspelt word', 'SELEC 1', 1, 1],
    ['nothing behind WHERE', 'SELECT * FROM datasets.sales\n WHERE', 2, 7],
    ['a parenthesis that is never closed', 'SELECT (1', 1, 10],
    ['a text that is never closed', "SELECT 'é𝄞', 'abc", 1, 14],
    ['a name that is never closed', 'SELECT "abc', 1, 8],
    ['a word twice, on a later line', "SELECT '日本'\nFROM FROM datasets.sales", 2, 6],
    ['a NUL', 'SELECT 1\0', 1, 9],
  ])('has a syntax error: %s', async (_, sql, line, column) => {
    const problem = await analyst.refusedSql(sql);
    expect(problem).toMatchObject({ status: 422, code: 'sql.syntax', errors: [{ line, column }] });
  });

  it.each<[string, string]>([
    ['a text that is no number', 'SELECT region::INTEGER FROM datasets.sales'],
    ['a number that does not fit', 'SELECT (amount * 1000)::TINYINT FROM datasets.sales'],
    ['a day that does not exist', "SELECT '2021-02-29'::DATE"],
    ['a sum beyond its type', 'SELECT 9223372036854775807 + amount FROM datasets.sales'],
    ['two rows for one value', 'SELECT (SELECT region FROM datasets.sales)'],
    ['an error of its own', "SELECT error('it is as it is')"],
  ])('fails on the data: %s', async (_, sql) => {
    const problem = await analyst.refusedSql(sql);
    expect(problem).toMatchObject({ status: 422, code: 'sql.failed', retryable: false });
    expect(problem.detail.length).toBeGreaterThan(10);
  });

  it.each([
    ['nothing', ''],
    ['spaces', ' \n\t '],
    ['a comment', '-- SELECT 1'],
    ['comments and semicolons', '/* a */ ; -- b\n;'],
  ])('is empty: %s', async (_, sql) => {
    await expect(analyst.refusedSql(sql)).resolves.toMatchObject({ status: 400, code: 'sql.empty' });
  });

  it('is too long', async () => {
    const fits = `SELECT 1 --${' '.repeat(1024 * 1024 - 11)}`;
    await expect(analyst.rows(fits)).resolves.toEqual([[1]]);
    await expect(analyst.refusedSql(`${fits} `)).resolves.toMatchObject({ status: 400, code: 'sql.too_long' });
    // In UTF-8 an é has two bytes.
    const wide = `SELECT 1 --${'é'.repeat(600_000)}`;
    await expect(analyst.refusedSql(wide)).resolves.toMatchObject({ status: 400, code: 'sql.too_long' });
  });

  it('is two', async () => {
    await expect(analyst.refusedSql("SELECT 'é;';\nSELECT 2")).resolves.toMatchObject({
      ...{ status: 422, code: 'sql.not_allowed' },
      errors: [{ line: 2, column: 1 }],
    });
    await expect(analyst.refusedSql('SELECT 1; DROP TABLE datasets.sales')).resolves.toMatchObject({ status: 422 });
  });

  it.each([
    "INSERT INTO datasets.sales VALUES ('x', 1)",
    'UPDATE datasets.sales SET amount = 0',
    'DELETE FROM datasets.sales',
    'DROP TABLE datasets.sales',
    'CREATE TABLE t AS SELECT 1',
    'CREATE MACRO f(x) AS x + 1',
    "COPY datasets.sales TO '/tmp/millrace-stolen.csv'",
    "COPY (SELECT 1) TO '/tmp/millrace-stolen.csv'",
    "ATTACH '/tmp/millrace-stolen.db'",
    "EXPORT DATABASE '/tmp/millrace-stolen'",
    'PRAGMA database_list',
    "SET memory_limit = '64GB'",
    'RESET memory_limit',
    'INSTALL httpfs',
    'LOAD httpfs',
    'USE datasets',
    'CALL pragma_version()',
    'BEGIN',
    'CHECKPOINT',
    'VACUUM',
    'PREPARE p AS SELECT 1',
  ])('may only read: %s', async (sql) => {
    const problem = await analyst.refusedSql(sql);
    expect(problem).toMatchObject({ status: 422, code: 'sql.not_allowed', errors: [{ line: 1, column: 1 }] });
    await expect(analyst.rows('SELECT count(*), sum(amount) FROM datasets.sales')).resolves.toEqual([[2, 170]]);
  });

  it('is named where it stands behind WITH', async () => {
    const problem = await analyst.refusedSql("WITH a AS (SELECT '日𝄞')\n  DELETE FROM datasets.sales");
    expect(problem).toMatchObject({ status: 422, code: 'sql.not_allowed', errors: [{ line: 2, column: 3 }] });
    expect(problem.detail).toContain('DELETE is not allowed');
  });

  it.each([
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_csv_auto('/etc/passwd')",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_blob('/etc/passwd')",
    "SELECT * FROM read_json('/etc/passwd')",
    "SELECT * FROM read_parquet('/etc/passwd')",
    "SELECT * FROM sniff_csv('/etc/passwd')",
    "SELECT * FROM glob('/etc/*')",
    "FROM '/etc/passwd'",
    'SELECT * FROM "/etc/passwd"',
    "SELECT (SELECT content FROM read_text('/etc/passwd'))",
    "WITH t AS (FROM read_text('/etc/passwd')) SELECT * FROM t",
    "SELECT * FROM datasets.sales, LATERAL (FROM read_text('/etc/passwd'))",
    "SELECT * FROM query('FROM ''/etc/passwd''')",
    "SELECT * FROM query_table('/etc/passwd')",
    "SELECT * FROM json_execute_serialized_sql(json_serialize_sql('FROM ''/etc/passwd'''))",
    "SELECT getenv('PATH')",
    "SELECT current_setting('temp_directory')",
    'SELECT * FROM duckdb_settings()',
    'SELECT * FROM information_schema.tables',
    'SELECT * FROM sqlite_master',
    "SELECT * FROM enable_logging('FileSystem')",
  ])('reads nothing but tables: %s', async (sql) => {
    const problem = await analyst.refusedSql(sql);
    expect(problem.status).toBe(422);
    expect(['sql.not_allowed', 'table.unknown', 'function.unknown']).toContain(problem.code);
    expect(problem.errors).toMatchObject([{ line: 1, column: expect.any(Number) }]);
    const text = JSON.stringify(problem);
    for (const secret of secrets) expect(text).not.toContain(secret);
  });

  it('is no reason to lose the process of others: the next one runs', async () => {
    await expect(analyst.rows('SELECT sum(amount) FROM datasets.sales')).resolves.toEqual([[170]]);
  });
});
