import { DomainError, isId } from '@millrace/domain';
import { adviceForTable } from './advice.js';
import { foldName } from './cte-scope.js';
import { quoteName } from './refusal.js';
import type { TextPlace } from './text-place.js';

const SUGGESTIONS_MAX = 3;

export interface NamedTable {
  /** What stands before the name in the statement, dots between: `datasets`, `pg_catalog`; empty for a bare name. */
  readonly schema: string;
  readonly name: string;
  readonly place?: TextPlace | undefined;
}

/**
 * The error for a table that does not exist, and for one that the caller may not read: the same sentence, so that
 * nobody learns which. Suggestions must be tables that the caller may read.
 *
 * @param suggestions full names, such as `datasets.sales`; the first three are shown
 */
export function unknownTable(table: NamedTable, suggestions: readonly string[] = []): DomainError {
  const fullName = table.schema === '' ? table.name : `${table.schema}.${table.name}`;
  const close = suggestions.slice(0, SUGGESTIONS_MAX).join(', ');
  const hint = close === '' ? adviceForTable(table) : ` Did you mean ${close}?`;
  const message = `There is no table ${quoteName(fullName)} that you may read.${hint}`;
  return new DomainError('table.unknown', message, { errors: [{ message, ...table.place }] });
}

/** The same for a name without its schema: no table is looked up, the full name is only how it would be written. */
export function bareTable(table: NamedTable): DomainError {
  const fullName = fullNameFor(table.name);
  if (fullName === undefined) return unknownTable(table);
  const message = `There is no table ${quoteName(table.name)} that you may read. Write ${fullName}.`;
  return new DomainError('table.unknown', message, { errors: [{ message, ...table.place }] });
}

function fullNameFor(name: string): string | undefined {
  if (isId('result', foldName(name))) return `results.${foldName(name)}`;
  return isTableName(name) ? `datasets.${name}` : undefined;
}

/** Whether a table of a dataset could have this name; nothing else is looked up in the catalog. */
export function isTableName(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(name);
}
