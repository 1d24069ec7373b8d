import { DomainError } from '@millrace/domain';
import type { ConvertRequest } from '../../tasks/convert.task.js';
import { quoteIdentifier } from '../../types/sql-text.js';
import { columnUnknown } from './column-pins.js';
import type { SourceColumn, TableSource } from './table-source.js';

/**
 * A source with some of its columns, in the order in which they are wanted. Names fit without regard to case, as in SQL.
 *
 * @throws DomainError `conversion.column_unknown`; `request.invalid` for one that is wanted twice, or pinned and not kept
 */
export function selectColumns(source: TableSource, { options, columns: pins = {} }: ConvertRequest): TableSource {
  const names = options?.select;
  if (names === undefined) return source;
  const wanted = names.map((name) => columnOf(source, name));
  const twice = wanted.find((column, index) => wanted.indexOf(column) < index);
  if (twice) throw new DomainError('request.invalid', `The option "select" names the column "${twice.name}" twice.`);
  const kept = new Set(wanted.map(({ name }) => name.toLowerCase()));
  const pinned = Object.keys(pins).find((name) => !kept.has(name.toLowerCase()));
  if (pinned !== undefined) {
    throw new DomainError(
      'request.invalid',
      `The type of "${pinned}" is pinned, but the option "select" leaves it out.`,
    );
  }
  const items = wanted.map(({ name }) => quoteIdentifier(name)).join(', ');
  return { ...source, columns: wanted, select: `SELECT ${items} FROM (${source.select})` };
}

function columnOf({ columns }: TableSource, wanted: string): SourceColumn {
  const found =
    columns.find(({ name }) => name === wanted) ??
    columns.find(({ name }) => name.toLowerCase() === wanted.toLowerCase());
  if (!found) throw columnUnknown(wanted, columns);
  return found;
}
