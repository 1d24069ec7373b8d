import type { DuckDBConnection } from '@duckdb/node-api';
import { type DuckdbType, parseDuckdbType } from '../../types/duckdb-type.js';
import { replaceScalar } from '../../types/replace-scalar.js';
import { quoteIdentifier } from '../../types/sql-text.js';
import { runLong } from '../long-statement.js';
import type { JsonReading } from './json-types.js';
import type { SourceColumn } from './table-source.js';

/** Integers of 18 digits and more that count, and what is beyond a DOUBLE. Fractions are none: the reader has rounded them. */
const CHANGED = [
  '(^|[^0-9.])[1-9][0-9]{16,}[1-9]0*([^0-9.eE]|$)',
  '[0-9]{309}',
  '[eE][+]?0*(30[89]|3[1-9][0-9]|[4-9][0-9]{2}|[0-9]{4,})',
].join('|');

/**
 * Within lists and objects the reader takes an integer beyond its types for a DOUBLE, which rounds it, and 1e400 for
 * infinite. Columns with such numbers keep the numbers beside them as texts, too.
 */
export async function keepNestedNumbers(
  connection: DuckDBConnection,
  columns: readonly SourceColumn[],
  { withTypes }: JsonReading,
): Promise<readonly SourceColumn[]> {
  const nested = columns.flatMap(({ name, type, isPinned }) => {
    const texts = isPinned || type === 'DOUBLE' ? undefined : doublesAsTexts(parseDuckdbType(type));
    return texts === undefined ? [] : [{ name, type: texts }];
  });
  if (nested.length === 0) return columns;
  const items = nested.map(
    ({ name }) => `coalesce(bool_or(regexp_matches(CAST(${quoteIdentifier(name)} AS VARCHAR), '${CHANGED}')), false)`,
  );
  const reader = await runLong(connection, `SELECT ${items.join(', ')} FROM ${withTypes(nested)}`);
  const [facts = []] = reader.getRows();
  const changed = new Set(nested.filter((_, index) => facts[index] === true).map(({ name }) => name));
  return columns.map((column) =>
    changed.has(column.name)
      ? { ...column, type: replaceScalar(column.type, { from: 'DOUBLE', to: 'VARCHAR' }) }
      : column,
  );
}

/** A type with the DOUBLEs of another as texts, and with nothing else; undefined without one. */
function doublesAsTexts(type: DuckdbType): string | undefined {
  switch (type.kind) {
    case 'scalar':
      return type.name === 'DOUBLE' ? 'VARCHAR' : undefined;
    case 'list': {
      const element = doublesAsTexts(type.element);
      return element && `${element}[]`;
    }
    case 'map': {
      const value = doublesAsTexts(type.value);
      return value && `MAP(VARCHAR, ${value})`;
    }
    case 'struct': {
      const fields = type.fields.flatMap(({ name, type: field }) => {
        const texts = doublesAsTexts(field);
        return name === undefined || texts === undefined ? [] : [`${quoteIdentifier(name)} ${texts}`];
      });
      return fields.length === 0 ? undefined : `STRUCT(${fields.join(', ')})`;
    }
    case 'array':
    case 'union':
    case 'decimal':
    case 'enum':
      return undefined;
  }
}
