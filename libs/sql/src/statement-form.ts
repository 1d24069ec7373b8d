import { foldName } from './cte-scope.js';
import { refusal } from './refusal.js';
import { isRawNode, type RawNode } from './tree-walk.js';

/**
 * How a statement is to be answered.
 *
 * - `select`: rows that are kept as a result
 * - `inspect`: DESCRIBE or SUMMARIZE standing alone; rows that say something of a table or a query
 * - `showTables`: the names of tables, which only the catalog knows
 * - `showAllTables`: these with their columns
 */
export const STATEMENT_FORMS = ['select', 'inspect', 'showTables', 'showAllTables'] as const;
export type StatementForm = (typeof STATEMENT_FORMS)[number];

/** What DuckDB's tree has in place of a table's name. */
const SHOWN: Readonly<Record<string, StatementForm>> = {
  '"tables"': 'showTables',
  __show_tables_expanded: 'showAllTables',
};

/**
 * The form of a statement, by the root of its tree. DuckDB makes `SELECT * FROM` of the statements DESCRIBE, SUMMARIZE and
 * SHOW, with a node of its own in FROM; in a FROM that somebody wrote, that node stands within a subquery.
 *
 * @throws DomainError `sql.not_allowed` for SHOW of anything but tables
 */
export function formOf(sql: string, root: RawNode): StatementForm {
  const shown = root['from_table'];
  if (!isRawNode(shown) || shown['type'] !== 'SHOW_REF') return 'select';
  if (isRawNode(shown['query'])) return 'inspect';
  const form = shown['show_type'] === 'SHOW_FROM' ? formOfSchema(shown) : formOfName(shown);
  if (form) return form;
  const message = 'SHOW lists the tables of datasets: SHOW TABLES, or SHOW ALL TABLES for their columns, too.';
  throw refusal(sql, { code: 'sql.not_allowed', message, byteOffset: 0 });
}

function formOfName({ table_name: name }: RawNode): StatementForm | undefined {
  return typeof name === 'string' && Object.hasOwn(SHOWN, name) ? SHOWN[name] : undefined;
}

/** `SHOW TABLES FROM datasets`, where all of them are. */
function formOfSchema({ catalog_name: catalog, schema_name: schema }: RawNode): StatementForm | undefined {
  const parts = [catalog, schema].filter((part) => part !== '');
  const name = foldName(parts.join('.'));
  return name === 'datasets' || name === 'datasets.main' ? 'showTables' : undefined;
}
