import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { filesBelow } from './harness/files-below.js';
import { Siege } from './harness/siege.js';

const REFUSED = { status: 422, retryable: false };

describe('an attack by a statement that reaches for what is not its own', () => {
  let siege: Siege;

  beforeAll(async () => {
    siege = await Siege.start();
  });
  afterAll(() => siege.stop());

  const refusal = (sql: string) => siege.survive(() => siege.attacker.refusedSql(sql));

  it.each([
    ...['read_csv', 'read_csv_auto', 'read_json', 'read_json_auto', 'read_json_objects', 'read_json_objects_auto'],
    ...['read_ndjson', 'read_ndjson_auto', 'read_ndjson_objects', 'read_parquet', 'parquet_scan', 'read_text'],
    ...['read_blob', 'sniff_csv', 'parquet_metadata', 'parquet_schema', 'parquet_file_metadata', 'glob'],
    ...['parquet_kv_metadata', 'parquet_bloom_probe', 'read_duckdb', 'read_xlsx', 'seq_scan', 'arrow_scan'],
    ...['sqlite_scan', 'postgres_scan', 'iceberg_scan', 'delta_scan', 'st_read'],
  ])('ends in a typed error: /etc/passwd by %s', async (name) => {
    const problem = await refusal(`SELECT * FROM ${name}('/etc/passwd')`);
    expect(problem).toMatchObject(REFUSED);
    // Some come with extensions that are not there.
    expect(['sql.not_allowed', 'function.unknown']).toContain(problem.code);
  });

  it.each([
    ['its table', () => `SELECT * FROM "${siege.foreign.id}"`, 'table.unknown'],
    ['its id as a table', () => `SELECT * FROM datasets."${siege.foreign.id}"`, 'table.unknown'],
    ['its file, by a reader', () => `SELECT * FROM read_parquet('${objectFolder()}/**/*.parquet')`, 'sql.not_allowed'],
    ['its file, as a table', () => `SELECT * FROM '${objectFolder()}/t/**'`, 'table.unknown'],
  ])('ends in a typed error: another tenant, by %s', async (_, sql, code) => {
    expect(await refusal(sql())).toMatchObject({ ...REFUSED, code });
  });

  it('ends in table.unknown: the stored file of another tenant by its exact path', async () => {
    // In the store where that is a folder, and in the read cache.
    const below = await filesBelow(siege.millrace.dataFolder);
    const files = below.filter(({ name }) => name.includes(`/${siege.foreign.tenantId}/`));
    expect(files.length).toBeGreaterThan(0);
    for (const { path: target } of files) {
      expect(await refusal(`FROM '${target}'`)).toMatchObject({ ...REFUSED, code: 'table.unknown' });
      expect(await refusal(`FROM read_parquet('${target}')`)).toMatchObject({ ...REFUSED, code: 'sql.not_allowed' });
    }
  });

  it.each([
    ["FROM '/a/path.parquet'", 'table.unknown'],
    ['FROM "/etc/passwd"', 'table.unknown'],
    ["FROM 'https://example.com/a.parquet'", 'table.unknown'],
    ["FROM '../../objects/a.parquet'", 'table.unknown'],
    ["FROM datasets.'../own'", 'sql.syntax'],
    ['FROM datasets."../own"', 'table.unknown'],
    ['FROM datasets."own/../own"', 'table.unknown'],
    ["FROM read_parquet('../inputs/../../x/inputs/a.parquet')", 'sql.not_allowed'],
    ['FROM datasets.main."own.parquet"', 'table.unknown'],
    ['FROM results."../datasets"', 'table.unknown'],
  ])('ends in a typed error: a path, %s', async (sql, code) => {
    expect(await refusal(sql)).toMatchObject({ ...REFUSED, code });
  });

  it.each([
    "COPY (SELECT 1) TO '/tmp/millrace-stolen.csv'",
    'COPY datasets.own TO STDOUT',
    "COPY datasets.own FROM '/etc/passwd'",
    "ATTACH '/tmp/millrace-stolen.db'",
    "ATTACH ':memory:' AS x",
    "EXPORT DATABASE '/tmp/millrace-stolen'",
    "IMPORT DATABASE '/tmp/millrace-stolen'",
    'INSTALL httpfs',
    'LOAD httpfs',
    "SET memory_limit = '64GB'",
    'SET GLOBAL enable_external_access = true',
    'RESET lock_configuration',
    'PRAGMA enable_profiling',
    'PRAGMA database_list',
    'CALL pragma_version()',
    "CALL enable_logging('FileSystem')",
    'CHECKPOINT',
    'USE datasets',
    'CREATE OR REPLACE VIEW datasets.own AS SELECT 1',
    'CREATE SECRET (TYPE s3)',
    'DETACH datasets',
  ])('ends in sql.not_allowed: %s', async (sql) => {
    expect(await refusal(sql)).toMatchObject({ ...REFUSED, code: 'sql.not_allowed' });
  });

  it.each([
    "FROM enable_logging('FileSystem')",
    'FROM enable_logging()',
    "FROM enable_profiling(save_location := '/tmp/millrace-stolen')",
    'FROM checkpoint()',
    'FROM force_checkpoint()',
    "FROM query('FROM datasets.own')",
    "FROM query_table('/etc/passwd')",
    "FROM query_table(['datasets.own'])",
    'FROM duckdb_settings()',
    'FROM duckdb_secrets()',
    'FROM duckdb_logs()',
    'FROM duckdb_temporary_files()',
    'FROM pragma_database_list()',
    "SELECT getenv('PATH')",
    "SELECT current_setting('temp_directory')",
    "SELECT getvariable('x')",
    "SELECT write_log('x')",
    'SELECT current_query()',
    "FROM json_execute_serialized_sql(json_serialize_sql('FROM ''/etc/passwd'''))",
  ])('ends in a typed error: %s', async (sql) => {
    const problem = await refusal(sql);
    expect(problem).toMatchObject(REFUSED);
    expect(['sql.not_allowed', 'function.unknown']).toContain(problem.code);
  });

  it.each([
    'EXPLAIN ANALYZE INSERT INTO datasets.own VALUES (4)',
    "EXPLAIN ANALYZE COPY (SELECT 1) TO '/tmp/millrace-stolen.csv'",
    'EXPLAIN ANALYZE CREATE TABLE t AS SELECT 1',
    'EXPLAIN DELETE FROM datasets.own',
  ])('ends in sql.not_allowed: %s', async (sql) => {
    expect(await refusal(sql)).toMatchObject({ ...REFUSED, code: 'sql.not_allowed' });
  });

  it.each([
    'SELECT 1; SELECT 2',
    'SELECT 1; DROP TABLE datasets.own',
    "SELECT ';'; /* ; */ ATTACH '/tmp/millrace-stolen.db'",
    "SELECT 1;;; COPY (SELECT 1) TO '/tmp/millrace-stolen.csv'",
  ])('ends in sql.not_allowed: two statements, %s', async (sql) => {
    expect(await refusal(sql)).toMatchObject({ ...REFUSED, code: 'sql.not_allowed' });
  });

  it('ends in sql.not_allowed: overwriting an input', async () => {
    const cached = (await filesBelow(siege.millrace.dataFolder)).filter(({ name }) => /\.parquet$|cache\//.test(name));
    expect(cached.length).toBeGreaterThan(0);
    for (const { path } of cached.slice(0, 4)) {
      const sql = `COPY (SELECT 1 AS number, 'x' AS word) TO '${path}' (FORMAT parquet, USE_TMP_FILE false)`;
      expect(await refusal(sql)).toMatchObject({ ...REFUSED, code: 'sql.not_allowed' });
    }
  });

  const objectFolder = (): string => `${siege.millrace.dataFolder}/objects`;
});
