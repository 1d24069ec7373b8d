import { type DuckdbType, parseDuckdbType } from '../../types/duckdb-type.js';
import { quoteIdentifier } from '../../types/sql-text.js';

/**
 * A type of the JSON reader with so many levels of objects and lists at most: what is deeper is JSON.
 *
 * @param levels none makes JSON of whatever is no single value
 */
export function capNesting(type: string, levels: number): string {
  return capped(parseDuckdbType(type), levels);
}

function capped(type: DuckdbType, levels: number): string {
  switch (type.kind) {
    case 'list':
      return levels > 0 ? `${capped(type.element, levels - 1)}[]` : 'JSON';
    case 'map':
      return levels > 0 ? `MAP(${type.key.text}, ${capped(type.value, levels - 1)})` : 'JSON';
    case 'struct': {
      const fields = type.fields.map(
        ({ name = '', type: field }) => `${quoteIdentifier(name)} ${capped(field, levels - 1)}`,
      );
      return levels > 0 ? `STRUCT(${fields.join(', ')})` : 'JSON';
    }
    case 'scalar':
    case 'decimal':
    case 'enum':
    case 'array':
    case 'union':
      return type.text;
  }
}
