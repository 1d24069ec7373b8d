import { DuckDBInstance } from '@duckdb/node-api';
import { describe, expect, it } from '@jest/globals';
import { isVolatileFunction } from '@millrace/sql';

/** One row for each function, with the words of the macro that it is, if it is one. */
const FUNCTIONS = `SELECT function_name, bool_or(stability IS NOT NULL AND stability <> 'CONSISTENT') AS changes,
    coalesce(string_agg(macro_definition, ' '), '') AS definition
  FROM duckdb_functions() WHERE function_type <> 'pragma' GROUP BY ALL ORDER BY ALL`;

describe('the functions of DuckDB', () => {
  it('are known to change where they do, or where the macro does that they are', async () => {
    const connection = await (await DuckDBInstance.create(':memory:')).connect();
    const rows = (await connection.runAndReadAll(FUNCTIONS)).getRows();
    connection.closeSync();
    const changing = rows.filter(([, changes, definition]) => changes === true || callsVolatile(String(definition)));
    const names = changing.map(([name]) => String(name));
    expect(names.length).toBeGreaterThan(10);
    expect(names.filter((name) => !isVolatileFunction(name))).toEqual([]);
  });

  it.each(['now', 'today', 'tomorrow', 'yesterday'])('take %j for no time', async (word) => {
    const connection = await (await DuckDBInstance.create(':memory:')).connect();
    for (const type of ['DATE', 'TIME', 'TIMESTAMP', 'TIMESTAMPTZ']) {
      await expect(connection.runAndReadAll(`SELECT $1::VARCHAR::${type}`, [word])).rejects.toThrow();
    }
    connection.closeSync();
  });
});

/** What ends in an error leaves no rows that could be others the next time. */
function callsVolatile(definition: string): boolean {
  return [...definition.matchAll(/\w+/g)].some(([word]) => word !== 'error' && isVolatileFunction(word));
}
