import { describe, expect, it } from '@jest/globals';
import { closeNames, editDistance } from './close-names.js';
import { foldName } from './cte-scope.js';
import { isRefusedFunction, SCALAR_FUNCTIONS, TABLE_FUNCTIONS } from './function-names.js';
import { bareTable, unknownTable } from './unknown-table.js';

describe('closeNames', () => {
  it.each([
    ['uper', ['upper']],
    ['lenght', ['length']],
    ['sum', ['sum']],
    ['xyz', []],
    ['l'.repeat(100), []],
  ])('for %j', (name, close) => {
    expect(closeNames(name, ['upper', 'lower', 'length', 'sum'], 1)).toEqual(close);
  });

  it('gives up on a distance that is too large', () => {
    expect([editDistance('kitten', 'sitting', 3), editDistance('kitten', 'sitting', 2)]).toEqual([3, Infinity]);
    expect(editDistance('abc', 'abcdef', 2)).toBe(Infinity);
  });

  it('counts a swap as one edit', () => {
    expect([editDistance('rnage', 'range'), editDistance('', 'abc'), editDistance('kitten', 'sitting')]).toEqual([
      1, 3, 3,
    ]);
  });
});

describe('foldName', () => {
  it('folds ASCII and nothing else, as DuckDB does', () => {
    expect(foldName('ABC_é_É_\u212a')).toBe('abc_é_É_\u212a');
  });
});

describe('the names of functions', () => {
  it.each([
    ...['getenv', 'current_setting', 'getvariable', 'setseed', 'nextval', 'currval', 'txid_current', 'write_log'],
    ...['sleep_ms', 'pg_sleep', 'finalize', 'combine', 'json_serialize_plan', 'current_database', 'read_text'],
    ...['read_csv', 'read_parquet', 'read_blob', 'glob', 'query', 'query_table', 'parquet_scan', 'duckdb_settings'],
    ...[
      'enable_logging',
      'checkpoint',
      'force_checkpoint',
      'arrow_scan',
      'json_execute_serialized_sql',
      'sql_auto_complete',
    ],
  ])('do not allow %s', (name) => {
    expect(SCALAR_FUNCTIONS.has(name) || TABLE_FUNCTIONS.has(name)).toBe(false);
  });

  it('are all in lower case and either allowed or refused', () => {
    const allowed = [...SCALAR_FUNCTIONS, ...TABLE_FUNCTIONS];
    expect(allowed.filter((name) => name !== foldName(name) || isRefusedFunction(name))).toEqual([]);
    expect(allowed.length).toBeGreaterThan(500);
  });
});

describe('unknownTable', () => {
  it('says the same, whatever the reason, with what may be meant', () => {
    const place = { line: 2, column: 3 };
    const error = unknownTable({ schema: 'datasets', name: 'salse', place }, ['datasets.sales', 'b', 'c', 'd']);
    const message = 'There is no table "datasets.salse" that you may read. Did you mean datasets.sales, b, c?';
    expect(error.toRecord()).toEqual({
      code: 'table.unknown',
      detail: message,
      errors: [{ message, line: 2, column: 3 }],
    });
  });

  it('suggests no full name for what could not have one', () => {
    expect(bareTable({ schema: '', name: '1st' }).message).toBe('There is no table "1st" that you may read.');
  });

  it.each(['/etc/passwd', 'C:\\x', 's3://bucket/x', 'x.csv', 'x.CSV.gz', 'x.ndjson', 'a b.parquet'])(
    'says of %j that a file is to be uploaded',
    (name) => {
      expect(bareTable({ schema: '', name }).message).toBe(
        `There is no table "${name}" that you may read. Upload the file, make it a dataset, and read datasets.<its table name>.`,
      );
    },
  );
});
