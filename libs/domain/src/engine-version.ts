/** Of DuckDB, as it says itself. */
export const DUCKDB_VERSION = 'v1.5.6';

/**
 * What decides, beside a statement and its tables, which rows it gives and how they are stored. The number behind DuckDB's
 * version is raised with every change after which the same statement gives other rows or types.
 */
export const RESULT_VERSION = `${DUCKDB_VERSION} 1`;

/**
 * What decides, beside a file and how it is to be read, which table it becomes. The number behind DuckDB's version is raised
 * with every change after which the same file gives other columns, rows or warnings.
 */
export const CONVERTER_VERSION = `${DUCKDB_VERSION} 1`;
