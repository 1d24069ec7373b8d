import { uniqueColumnNames } from '@millrace/domain';
import { parseDuckdbType, type DuckdbType } from '../../types/duckdb-type.js';
import { structField } from '../../types/nested-expression.js';
import { quoteIdentifier } from '../../types/sql-text.js';
import type { ConvertLimits, ConvertRequest } from '../../tasks/convert.task.js';
import { checkCount } from './column-check.js';
import { applyPins } from './column-pins.js';
import { exactCast, explainInexact } from './exact-cast.js';
import type { TableSource } from './table-source.js';

/** Between the names of an object and of a field in it. */
const SEPARATOR = '_';

interface Leaf {
  readonly name: string;
  readonly type: string;
  /** Of the columns of the source. */
  readonly value: string;
}

/**
 * A source with a column for each field of its objects, of objects in them, too, by the names on the way to it:
 * `address_city`. Lists and maps stay. Pins are for the columns as they then are.
 *
 * @throws DomainError `conversion.column_unknown`, `conversion.limit`
 */
export function flattenColumns(
  source: TableSource,
  { columns: pins }: ConvertRequest,
  limits: ConvertLimits,
): TableSource {
  const leaves = source.columns.flatMap(({ name, type }) =>
    leavesOf({ name, value: quoteIdentifier(name), type: parseDuckdbType(type) }),
  );
  checkCount(leaves.length, limits);
  const names = uniqueColumnNames(leaves.map(({ name }) => name));
  const named = leaves.map((leaf, index) => ({ ...leaf, from: leaf.type, name: names[index] ?? '' }));
  // A column that was one already has its type by now.
  const columns = applyPins(named, pins);
  const items = columns.map(({ name, type, from, value }, index) => {
    const item = type === from ? value : exactCast({ value, from, to: type, index });
    return `${item} AS ${quoteIdentifier(name)}`;
  });
  const renamed = named.filter(({ name }, index) => name !== leaves[index]?.name).map(({ name }) => name);
  return {
    ...source,
    columns: columns.map(({ name, type, isPinned }) => ({ name, type, isPinned })),
    select: `SELECT ${items.join(', ')} FROM (${source.select})`,
    warnings: [
      ...source.warnings,
      ...renamed.map((name) => `A field of an object is called "${name}" here: another column has its name already.`),
    ],
    explain: async (error) => explainInexact(error, columns) ?? source.explain(error),
  };
}

function leavesOf({ name, value, type }: { name: string; value: string; type: DuckdbType }): Leaf[] {
  if (type.kind !== 'struct' || type.fields.length === 0) return [{ name, value, type: type.text }];
  return type.fields.flatMap(({ name: field, type: inner }, index) =>
    leavesOf({
      name: `${name}${SEPARATOR}${field ?? index + 1}`,
      value: structField(value, field, index),
      type: inner,
    }),
  );
}
