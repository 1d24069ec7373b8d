import { createHash } from 'node:crypto';
import { chmod, chown, cp, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DuckDBInstance } from '@duckdb/node-api';
import { LyingChildren } from '../../test/lying-child.js';
import { type Outcome, UngatedChild } from '../../test/ungated-child.js';

const SECRET = 'only another tenant knows this';
const OWN = 'the own table';
const passwords = (await readFile('/etc/passwd', 'utf8')).trim().split('\n');

/**
 * What holds where the gate had a hole: texts that no gate would let pass are given to an engine process that looks at
 * none of them. Once as on a machine where it is somebody else than its inputs' owner, once as where it is the same, as
 * when the service is an ordinary user.
 */
describe.each([
  ['whose inputs belong to somebody else', false],
  ['whose inputs are its own', true],
])('any text at all, in a child %s', (_, ownsInputs) => {
  let children: LyingChildren;
  let child: UngatedChild;
  let folder: string;
  /** A file that lies in the child's inputs, and the same table of somebody else in a folder like it. */
  let own: string;
  let foreign: string;
  let inputsDir: string;
  let digests: Map<string, string>;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-ungated-'));
    await chmod(folder, 0o755);
    children = await LyingChildren.open();
    child = await UngatedChild.start(children);
    inputsDir = child.child.folder.inputsDir;
    const [path] = (await child.child.folder.setInputs([await parquetOf(folder, OWN)])).values();
    own = path ?? '';
    foreign = await besideInputs();
    await addLinks();
    if (ownsInputs) await giveInputs();
    digests = await digestsOf([inputsDir, dirname(foreign)]);
  });
  afterAll(async () => {
    await child.child.dispose();
    await children.close();
    await rm(folder, { recursive: true });
  });

  /** A folder whose name begins like that of the inputs, open to everybody. */
  async function besideInputs(): Promise<string> {
    const sibling = `${inputsDir}-of-others`;
    await mkdir(sibling);
    const path = join(sibling, 'theirs.parquet');
    await cp(await parquetOf(folder, SECRET), path);
    await chmod(path, 0o444);
    await chmod(sibling, 0o755);
    return path;
  }

  async function addLinks(): Promise<void> {
    await chmod(inputsDir, 0o755);
    await symlink(foreign, join(inputsDir, 'link.parquet'));
    await symlink('/etc/passwd', join(inputsDir, 'link.csv'));
    await symlink('/etc', join(inputsDir, 'linked'));
    await chmod(inputsDir, 0o555);
  }

  async function giveInputs(): Promise<void> {
    const { uid, gid } = await stat(child.child.folder.scratchDir);
    if (process.getuid?.() !== 0) return;
    for (const path of [inputsDir, own, dirname(foreign), foreign]) await chown(path, uid, gid);
  }

  /** What comes of a text, from a process that is still there and well afterwards. */
  const run = async (sql: string): Promise<Outcome> => {
    const outcome = await outcomeOf(sql);
    expect(await outcomeOf('SELECT 1 AS one')).toEqual({ rows: [{ one: 1 }] });
    return outcome;
  };
  const outcomeOf = async (sql: string): Promise<Outcome> => {
    const outcome = await child.run(
      sql.replaceAll('OWN', own).replaceAll('FOREIGN', foreign).replaceAll('DIR', inputsDir),
    );
    const text = JSON.stringify(outcome);
    for (const line of [SECRET, ...passwords]) expect(text).not.toContain(line);
    expect(await digestsOf([inputsDir, dirname(foreign)])).toEqual(digests);
    return outcome;
  };

  it('reads what is its own, so that the others can fail', async () => {
    expect(await run("FROM read_parquet('OWN')")).toEqual({ rows: [{ word: OWN }] });
  });

  it('reads nothing else by any table function that takes a text', async () => {
    const connection = await (await DuckDBInstance.create(':memory:')).connect();
    const reader = await connection.runAndReadAll(
      "SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_type = 'table' AND parameter_types[1] LIKE 'VARCHAR%'",
    );
    connection.closeSync();
    const names = reader.getRows().map(([name]) => String(name));
    expect(names).toEqual(expect.arrayContaining(['read_csv', 'read_text', 'read_parquet', 'glob', 'sniff_csv']));
    for (const name of names) {
      for (const path of ['/etc/passwd', 'FOREIGN', 'DIR/link.csv', 'DIR/link.parquet', 'DIR/linked/passwd']) {
        await run(`FROM ${name}('${path}')`);
      }
    }
  });

  it.each([
    ...["FROM 'FOREIGN'", 'FROM "FOREIGN"', "FROM '/etc/passwd'", "FROM 'DIR/link.parquet'", "FROM 'DIR/link.csv'"],
    "FROM 'DIR/../inputs-of-others/theirs.parquet'",
    "FROM 'DIR-of-others/theirs.parquet'",
    "FROM read_parquet('DIR*/theirs.parquet')",
    "FROM read_parquet(['OWN', 'FOREIGN'])",
    "FROM read_text('DIR/linked/passwd')",
    "FROM read_blob('file:///etc/passwd')",
    "FROM read_csv('/proc/self/environ')",
    "FROM read_csv('/proc/self/../../etc/passwd')",
    "FROM read_csv('/dev/fd/3')",
    "FROM 'https://example.com/a.parquet'",
    "FROM read_text('s3://bucket/key')",
    "ATTACH '/etc/passwd' AS x",
    "ATTACH 'DIR/x.db' AS x",
    'INSTALL httpfs',
    "INSTALL httpfs FROM 'DIR'",
    "LOAD 'DIR/x.duckdb_extension'",
    'LOAD httpfs',
    'SET enable_external_access = true',
    'SET lock_configuration = false',
    'RESET lock_configuration',
    "SET allowed_directories = ['/']",
    "SET GLOBAL allowed_paths = ['/etc/passwd']",
    "SET memory_limit = '64GB'",
    "SET temp_directory = '/tmp'",
    "SET extension_directory = '/tmp'",
    "SET secret_directory = '/tmp'",
    "SET log_query_path = '/tmp/millrace-log'",
    "PRAGMA enable_profiling; PRAGMA profiling_output = 'DIR/profile.json'",
    "COPY (SELECT 1) TO '/tmp/millrace-stolen.csv'",
    "COPY (SELECT 1) TO 'FOREIGN' (FORMAT parquet)",
    "COPY (SELECT 1) TO 'DIR-of-others/new.parquet'",
    "COPY (SELECT 1) TO 'OWN' (FORMAT parquet)",
    "COPY (SELECT 1) TO 'OWN' (FORMAT parquet, USE_TMP_FILE false)",
    "COPY (SELECT 1) TO 'DIR/new.parquet' (USE_TMP_FILE false)",
    "COPY (SELECT 1 AS a, 2 AS b) TO 'DIR' (FORMAT parquet, PARTITION_BY a, OVERWRITE)",
    "COPY (SELECT 1 AS a, 2 AS b) TO 'DIR' (FORMAT parquet, PARTITION_BY a, OVERWRITE_OR_IGNORE)",
    "EXPORT DATABASE 'DIR'",
    "EXPORT DATABASE '/tmp/millrace-stolen'",
    "IMPORT DATABASE '/etc'",
    "EXPLAIN ANALYZE COPY (SELECT 1) TO 'OWN' (FORMAT parquet, USE_TMP_FILE false)",
    'CREATE PERSISTENT SECRET x (TYPE s3)',
  ])('ends in an error and changes nothing: %s', async (sql) => {
    expect(await run(sql)).toEqual({ error: expect.any(String) });
  });

  it.each([
    'FROM duckdb_settings()',
    'FROM duckdb_secrets()',
    'FROM pragma_database_list()',
    "SELECT getenv('PATH') AS path, getenv('HOME') AS home",
    "CALL enable_logging('FileSystem')",
    'FROM duckdb_logs()',
    'CALL checkpoint()',
    'CHECKPOINT',
    "FROM query('SELECT 1')",
    'PRAGMA enable_profiling',
    'CREATE TABLE t AS SELECT 1',
    "FROM json_execute_serialized_sql(json_serialize_sql('SELECT 1'))",
    "FROM glob('/etc/*')",
    "FROM glob('DIR/*')",
    "FROM glob('DIR/../**')",
    "COPY (SELECT 1) TO '/dev/stdout'",
    'SELECT 1; SELECT 2',
  ])('learns nothing of others and changes nothing, whatever comes of it: %s', async (sql) => {
    expect(Object.keys(await run(sql))).toEqual([expect.stringMatching(/^(rows|error)$/)]);
  });

  it('has still the settings that it began with', async () => {
    const { rows = [] } = await run(
      "SELECT name, value FROM duckdb_settings() WHERE name IN ('enable_external_access', 'lock_configuration', 'allowed_directories')",
    );
    const settings = new Map(rows.map(({ name, value }) => [name, value]));
    expect(settings.get('enable_external_access')).toBe('false');
    expect(settings.get('lock_configuration')).toBe('true');
    expect(settings.get('allowed_directories')).not.toContain('-of-others');
  });

  it('writes no log, and loses no more than its own process by trying', async () => {
    for (const path of ['DIR', '/tmp/millrace-log']) {
      await outcomeOf(`CALL enable_logging(storage := 'file', storage_path := '${path}')`);
      await outcomeOf('SELECT 1');
    }
    expect(await readdir('/tmp')).not.toContain('millrace-log');
  });
});

async function parquetOf(folder: string, word: string): Promise<string> {
  const path = join(folder, `${createHash('sha256').update(word).digest('hex').slice(0, 8)}.parquet`);
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  await connection.run(`COPY (SELECT '${word}' AS word) TO '${path}' (FORMAT parquet)`);
  connection.closeSync();
  await chmod(path, 0o444);
  return path;
}

/** Of every file in some folders, by name. */
async function digestsOf(folders: readonly string[]): Promise<Map<string, string>> {
  const digests = new Map<string, string>();
  for (const folder of folders) {
    for (const name of await readdir(folder)) {
      const bytes = await readFile(join(folder, name)).catch(() => name);
      digests.set(join(basename(folder), name), createHash('sha256').update(bytes).digest('hex'));
    }
  }
  return digests;
}
