const FILES = ' Upload the file, make it a dataset, and read datasets.<its table name>.';
const CATALOG = ' SHOW ALL TABLES lists the tables and their columns.';

/** A path, a URL, or a name with the ending of a file of tables. */
const FILE_NAME = /[/\\]|\.(?:csv|tsv|psv|txt|json|jsonl|ndjson|parquet|xlsx?)(?:\.(?:gz|zst))?$/i;
const CATALOG_SCHEMA = /^(?:information_schema|pg_catalog)$/i;
const FILE_FUNCTION = /^(?:read_|parquet_|sniff_csv$|glob$)/;
const CATALOG_FUNCTION = /^(?:duckdb_(?:tables|columns|views|schemas)|pragma_(?:show_tables|table_info))/;

/**
 * What to do instead, for tables that are known from elsewhere and never are in the catalog. It follows from the name
 * alone, and so gives nothing away. Empty, or a sentence with a blank in front.
 */
export function adviceForTable({ schema, name }: { readonly schema: string; readonly name: string }): string {
  if (CATALOG_SCHEMA.test(schema)) return CATALOG;
  return schema === '' && FILE_NAME.test(name) ? FILES : '';
}

/** The same for a function that is refused, its name in lower case. */
export function adviceForFunction(name: string): string {
  if (FILE_FUNCTION.test(name)) return FILES;
  return CATALOG_FUNCTION.test(name) ? CATALOG : '';
}
