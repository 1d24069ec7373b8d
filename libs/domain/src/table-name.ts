import { DomainError } from './domain-error.js';

export const TABLE_NAME_LENGTH_MAX = 128;

/** Words that would need quotes or mislead in SQL; refused as table names in any case. */
export const RESERVED_TABLE_NAMES: ReadonlySet<string> = new Set(
  (
    'select from where insert update delete create drop alter table index view and or not null true false in is like ' +
    'between join on as order by group having limit offset union all distinct case when then else end exists any some'
  ).split(' '),
);

/**
 * Checks a table name that a person gave.
 *
 * @throws DomainError `table_name.invalid`, `table_name.reserved`
 */
export function checkTableName(name: string): void {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) || name.length > TABLE_NAME_LENGTH_MAX) {
    throw new DomainError(
      'table_name.invalid',
      `A table name has 1 to ${TABLE_NAME_LENGTH_MAX} characters, starts with an ASCII letter or "_" and goes on with ` +
        'ASCII letters, digits and "_".',
    );
  }
  if (RESERVED_TABLE_NAMES.has(name.toLowerCase())) {
    throw new DomainError('table_name.reserved', `"${name}" is a reserved word; choose another table name.`);
  }
}

/**
 * The table name for a label: ASCII letters, digits and `_` in lower case, runs of spaces and `-` become one `_`, the
 * rest is dropped, trailing `_` trimmed, a leading digit gets a `_` in front, cut to 128; nothing left → `_unnamed`.
 * The name may be a reserved word: `checkTableName` refuses it like one that a person gave.
 */
export function deriveTableName(label: string): string {
  const kept = label
    .replace(/[^A-Za-z0-9_\s-]/g, '')
    .replace(/[\s-]+/g, '_')
    .toLowerCase();
  const prefixed = /^[0-9]/.test(kept) ? `_${kept}` : kept;
  const name = prefixed.slice(0, TABLE_NAME_LENGTH_MAX).replace(/_+$/, '');
  return name === '' ? '_unnamed' : name;
}

/**
 * The candidates offered when a name is in use: `sales_2`, `sales_3`, …, each within the length limit.
 *
 * @param count how many candidates to give
 */
export function alternativeTableNames(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => {
    const suffix = `_${index + 2}`;
    return name.slice(0, TABLE_NAME_LENGTH_MAX - suffix.length) + suffix;
  });
}
