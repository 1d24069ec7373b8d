import type { Column } from '@millrace/domain';
import { uniqueColumnNames } from '../types/column-names.js';
import { quoteIdentifier, quoteList } from '../types/sql-text.js';
import { restoreExpression } from '../types/storage-form.js';

/** A SELECT that gives stored files their logical types again, under unique names. Without columns there are no rows. */
export function selectStored(files: readonly string[], columns: readonly Column[]): string {
  const names = uniqueColumnNames(columns.map(({ name }) => name));
  if (files.length === 0 || columns.length === 0) return selectNothing(names, columns);
  const items = columns.map(({ type }, index) => {
    const name = quoteIdentifier(names[index] ?? '');
    return `${restoreExpression(type, name)} AS ${name}`;
  });
  return `SELECT ${items.join(', ')} FROM ${readParquet(files)}`;
}

/** The table function over exactly these files; nothing in a path is a pattern or a partition. */
export function readParquet(files: readonly string[]): string {
  return `read_parquet(${quoteList(files)}, hive_partitioning = false, union_by_name = false)`;
}

function selectNothing(names: readonly string[], columns: readonly Column[]): string {
  const items = columns.map(({ type }, index) => `CAST(NULL AS ${type}) AS ${quoteIdentifier(names[index] ?? '')}`);
  return `SELECT ${items.join(', ') || 'NULL'} WHERE false`;
}
