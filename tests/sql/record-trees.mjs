/**
 * Records DuckDB's syntax trees of the statements in `libs/sql/fixtures/cases.ts`, and says which functions DuckDB has that
 * `libs/sql` neither allows nor refuses. To be run, and its output looked at, with every new version of DuckDB:
 *
 *     npx nx run @millrace/sql:build && node_modules/.bin/node tests/sql/record-trees.mjs
 *
 * It lies here because `libs/sql` is pure: nothing in it may import DuckDB.
 */
import { writeFileSync } from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';
import { ALLOWED, REFUSED } from '../../libs/sql/fixtures/cases.ts';
import { isRefusedFunction, SCALAR_FUNCTIONS, TABLE_FUNCTIONS } from '../../libs/sql/dist/function-names.js';
import { recognizeStatement } from '../../libs/sql/dist/index.js';

const instance = await DuckDBInstance.create(':memory:');
const connection = await instance.connect();

const lines = [];
for (const { sql: original } of [...ALLOWED, ...REFUSED]) {
  const { sql } = recognizeStatement(original);
  const reader = await connection.runAndReadAll('SELECT json_serialize_sql($1::VARCHAR)', [sql]);
  const tree = JSON.parse(String(reader.getRows()[0][0]));
  lines.push(JSON.stringify({ sql: original, statementCount: await countStatements(sql), tree }));
}
writeFileSync(new URL('../../libs/sql/fixtures/trees.ndjson', import.meta.url), `${lines.join('\n')}\n`);
console.log(`${lines.length} trees recorded`);

const names = await connection.runAndReadAll(
  "SELECT DISTINCT lower(function_name) FROM duckdb_functions() WHERE function_type <> 'pragma' ORDER BY 1",
);
const judged = (name) => SCALAR_FUNCTIONS.has(name) || TABLE_FUNCTIONS.has(name) || isRefusedFunction(name);
const existing = new Set(names.getRows().map(([name]) => String(name)));
console.log('not judged:', [...existing].filter((name) => !judged(name)).join(' ') || 'none');
console.log('allowed, but gone:', [...SCALAR_FUNCTIONS].filter((name) => !existing.has(name)).join(' ') || 'none');

/** 0 when the text does not parse. */
async function countStatements(sql) {
  try {
    return (await connection.extractStatements(sql)).count;
  } catch {
    return 0;
  }
}
