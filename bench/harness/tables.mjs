import { fileOf } from './data.mjs';

/**
 * Makes the same table in Millrace and in raw DuckDB, from one Parquet file: `datasets.<name>` in both.
 *
 * @param {import('./bench.mjs').Bench} bench
 * @param {{ tenant: import('./tenant.mjs').Tenant, name: string, content: string, rows: number }} table
 */
export async function makeTable(bench, { tenant, name, content, rows }) {
  const duckdb = await bench.duckdb();
  const path = await fileOf({ duckdb, folder: bench.folder }, { content, format: 'parquet', rows });
  const uploadId = await tenant.uploadFile(path);
  await tenant.createDataset({ uploadId, tableName: name });
  await duckdb.run(`CREATE SCHEMA IF NOT EXISTS datasets`);
  await duckdb.run(`CREATE OR REPLACE VIEW datasets.${name} AS SELECT * FROM read_parquet('${path}')`);
  return path;
}
