import type { Column } from '@millrace/domain';
import { namedColumns, type NamedColumn } from '../types/named-columns.js';
import { quoteIdentifier, quoteList } from '../types/sql-text.js';
import { restoreExpression } from '../types/storage-form.js';

/** A SELECT that gives stored files their logical types again, under unique names. Without columns there are no rows. */
export function selectStored(files: readonly string[], columns: readonly Column[]): string {
  return selectColumns(files, namedColumns(columns));
}

/** The same of some of the columns, which costs as much as those do and not as much as all. */
export function selectColumns(files: readonly string[], columns: readonly NamedColumn[]): string {
  if (files.length === 0 || columns.length === 0) return selectNothing(columns);
  const items = columns.map(({ name, type }) => {
    const identifier = quoteIdentifier(name);
    return `${restoreExpression(type, identifier)} AS ${identifier}`;
  });
  return `SELECT ${items.join(', ')} FROM ${readParquet(files)}`;
}

/** The table function over exactly these files; nothing in a path is a pattern or a partition. */
export function readParquet(files: readonly string[]): string {
  return `read_parquet(${quoteList(files)}, hive_partitioning = false, union_by_name = false)`;
}

function selectNothing(columns: readonly NamedColumn[]): string {
  const items = columns.map(({ name, type }) => `CAST(NULL AS ${type}) AS ${quoteIdentifier(name)}`);
  return `SELECT ${items.join(', ') || 'NULL'} WHERE false`;
}
