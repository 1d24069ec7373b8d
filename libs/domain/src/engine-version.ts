/** Of DuckDB, as it says itself. */
export const DUCKDB_VERSION = 'v1.5.6';

/**
 * What decides, beside a statement and its tables, which rows it gives and how they are stored. The number behind DuckDB's
 * version is raised with every change after which the same statement gives other rows or types.
 */
export const RESULT_VERSION = `${DUCKDB_VERSION} 1`;
