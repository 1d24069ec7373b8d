import { parseDuckdbType } from './duckdb-type.js';
import { jsonOrNull } from './json-encoding.js';
import { decimalText, plainText, scalarText } from './scalar-text.js';

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
