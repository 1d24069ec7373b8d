import { parseDuckdbType, type DuckdbType } from './duckdb-type.js';
import { INTEGER_TYPES } from './integer-types.js';
import { jsonOrNull } from './json-encoding.js';
import type { NamedColumn } from './named-columns.js';
import { concat, decimalText, plainText, scalarText } from './scalar-text.js';
import { quoteIdentifier } from './sql-text.js';

/** Scalars whose text has nothing that a field of CSV would have to quote. */
const BARE: ReadonlySet<string> = new Set(['BOOLEAN', ...INTEGER_TYPES, 'FLOAT', 'DOUBLE']);

/**
 * A value as a field of CSV: what it is in JSON, a string without its quotes, and every number with all its digits.
 * Nested values are the JSON text. NULL for NULL. An SQL expression of type VARCHAR.
 */
export function csvExpression(type: string, value: string): string {
  const tree = parseDuckdbType(type);
  switch (tree.kind) {
    case 'scalar':
      return scalarText(tree.name, value);
    case 'decimal':
      return decimalText(tree, value);
    case 'enum':
      return plainText(value);
    case 'list':
    case 'array':
    case 'map':
    case 'struct':
    case 'union':
      return jsonOrNull(tree, value);
  }
}

/** A SELECT of one text for each row of another: the fields of these columns with their commas, as DuckDB's COPY has them. */
export function csvRowsSelect(columns: readonly NamedColumn[], rows: string): string {
  const texts = columns.map(({ name, type }, index) => `${csvExpression(type, quoteIdentifier(name))} AS t${index}`);
  const fields = columns.map(({ type }, index) => csvField(parseDuckdbType(type), `t${index}`));
  const separated = fields.flatMap((field, index) => (index === 0 ? [field] : ["','", field]));
  return `SELECT ${concat(separated)} FROM (SELECT ${texts.join(', ')} FROM (${rows}))`;
}

/** NULL stays NULL, which `concat` leaves out. */
function csvField(type: DuckdbType, text: string): string {
  if (type.kind === 'decimal' || (type.kind === 'scalar' && BARE.has(type.name))) return text;
  return `CASE WHEN ${csvNeedsQuotes(text)} THEN concat('"', replace(${text}, '"', '""'), '"') ELSE ${text} END`;
}

/**
 * Whether DuckDB's COPY would quote a text. The empty one has quotes, or it would be NULL to a reader; so has what has the
 * sign that begins comments for some readers.
 */
export function csvNeedsQuotes(text: string): string {
  return `(${text} = '' OR regexp_matches(${text}, '[,"#\\r\\n]'))`;
}
