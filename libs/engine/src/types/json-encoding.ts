import { parseDuckdbType, type DuckdbType } from './duckdb-type.js';
import { arrayToList, eachElement, structField } from './nested-expression.js';
import { concat, decimalText, plainText, scalarText } from './scalar-text.js';
import { quoteIdentifier, quoteLiteral } from './sql-text.js';

/**
 * The rule of the HTTP contract ("Values") as SQL: nothing is lost at any depth. A number that a double can't hold
 * exactly is a string; so are NaN and the infinities. Everything here runs inside DuckDB, over the result file.
 */

/** Digits that every double keeps. */
const EXACT_DIGITS = 15;
/** 2^53: beyond it a double skips integers. */
const EXACT_INTEGER_MAX = 9_007_199_254_740_992n;

/** What a row is in JSON: an array of its values, or an object with the names of its columns. */
export type RowFormat = 'arrays' | 'objects';

/** A column as a row has it; names of an object are unique. */
interface RowColumn {
  readonly name: string;
  readonly type: string;
}

/** One row as the text of a JSON array or object: an SQL expression over columns of the given names and types. */
export function jsonRowExpression(columns: readonly RowColumn[], format: RowFormat = 'arrays'): string {
  const values = columns.map(({ name, type }) => jsonExpression(parseDuckdbType(type), quoteIdentifier(name)));
  if (format === 'arrays') return jsonTuple(values);
  return jsonObject(values.map((value, index) => [columns[index]?.name ?? '', value]));
}

/** The JSON text of a value, never NULL: an SQL expression of type VARCHAR. */
export function jsonExpression(type: DuckdbType, value: string, depth = 0): string {
  return `coalesce(${jsonOrNull(type, value, depth)}, 'null')`;
}

/** The JSON text of a value, NULL for NULL. */
export function jsonOrNull(type: DuckdbType, value: string, depth = 0): string {
  switch (type.kind) {
    case 'scalar':
      return encodeScalar(type.name, value);
    case 'decimal':
      return encodeDecimal(type, value);
    case 'enum':
      return jsonText(plainText(value));
    case 'list':
    case 'array':
      return jsonArray(listOf(type, value), depth, (element) => jsonExpression(type.element, element, depth + 1));
    case 'map':
      return jsonArray(`map_entries(${value})`, depth, (entry) =>
        jsonObject([
          ['key', jsonExpression(type.key, `struct_extract(${entry}, 'key')`, depth + 1)],
          ['value', jsonExpression(type.value, `struct_extract(${entry}, 'value')`, depth + 1)],
        ]),
      );
    case 'struct':
      return `CASE WHEN ${value} IS NOT NULL THEN ${encodeStruct(type, value, depth)} END`;
    case 'union':
      return `CASE union_tag(${value})::VARCHAR ${type.members
        .map(({ name = '', type: member }) => {
          const inner = jsonExpression(member, `union_extract(${value}, ${quoteLiteral(name)})`, depth + 1);
          return `WHEN ${quoteLiteral(name)} THEN ${jsonObject([
            ['tag', quoteLiteral(JSON.stringify(name))],
            ['value', inner],
          ])}`;
        })
        .join(' ')} END`;
  }
}

function encodeStruct(type: DuckdbType & { kind: 'struct' }, value: string, depth: number): string {
  const inner = type.fields.map(({ name, type: field }, index) => ({
    name,
    json: jsonExpression(field, structField(value, name, index), depth + 1),
  }));
  // A row without names has no keys: an array keeps its order.
  if (inner.some(({ name }) => name === undefined)) {
    return jsonTuple(inner.map(({ json }) => json));
  }
  return jsonObject(inner.map(({ name = '', json }) => [name, json]));
}

function encodeScalar(name: string, value: string): string {
  switch (name) {
    case 'BOOLEAN':
    case 'TINYINT':
    case 'SMALLINT':
    case 'INTEGER':
    case 'UTINYINT':
    case 'USMALLINT':
    case 'UINTEGER':
    case 'NULL':
      return scalarText(name, value);
    case 'BIGINT':
    case 'HUGEINT':
      return exactInteger(value, `${value} BETWEEN -${EXACT_INTEGER_MAX} AND ${EXACT_INTEGER_MAX}`);
    case 'UBIGINT':
    case 'UHUGEINT':
      return exactInteger(value, `${value} <= ${EXACT_INTEGER_MAX}`);
    case 'BIGNUM':
      // BIGNUM compares through DOUBLE: its text, as far as it is a BIGINT, decides.
      return exactInteger(
        value,
        `TRY_CAST(${plainText(value)} AS BIGINT) BETWEEN -${EXACT_INTEGER_MAX} AND ${EXACT_INTEGER_MAX}`,
      );
    case 'FLOAT':
    case 'DOUBLE':
      return `CASE WHEN isfinite(${value}) THEN ${plainText(value)} ELSE ${quoted(scalarText(name, value))} END`;
    case 'TIMESTAMP':
    case 'TIMESTAMP_S':
    case 'TIMESTAMP_MS':
    case 'TIMESTAMP_NS':
    case 'TIMESTAMP WITH TIME ZONE':
    case 'TIME WITH TIME ZONE':
    case 'INTERVAL':
    case 'BLOB':
    case 'DATE':
    case 'TIME':
    case 'TIME_NS':
    case 'UUID':
    case 'BIT':
      return quoted(scalarText(name, value));
    default:
      // VARCHAR; JSON, as its text: a JSON null is not an SQL NULL, and its numbers may be beyond a double.
      return jsonText(plainText(value));
  }
}

const quoted = (text: string): string => `'"' || ${text} || '"'`;
const jsonText = (value: string): string => `CAST(to_json(${value}) AS VARCHAR)`;

/** What stands between the quotes of a JSON string; slices of a text, one behind the other, give that of the text. */
export function jsonStringInside(value: string): string {
  return `array_slice(${jsonText(value)}, 2, -2)`;
}

function exactInteger(value: string, isExact: string): string {
  return `CASE WHEN ${isExact} THEN ${plainText(value)} ELSE ${quoted(plainText(value))} END`;
}

/** By value, not by type: SUM of DECIMAL(12,2) has 38 digits of room and is a number as long as a double holds it. */
function encodeDecimal(type: DuckdbType & { kind: 'decimal' }, value: string): string {
  const written = decimalText(type, value);
  if (type.precision <= EXACT_DIGITS) return written;
  const short = `CASE WHEN contains(${written}, '.') THEN rtrim(${written}, '0') ELSE ${written} END`;
  const digits = `length(ltrim(replace(replace(${short}, '.', ''), '-', ''), '0'))`;
  return `CASE WHEN ${digits} <= ${EXACT_DIGITS} THEN ${written} ELSE ${quoted(written)} END`;
}

/** List functions take arrays as lists. */
function listOf(type: DuckdbType & { kind: 'list' | 'array' }, value: string): string {
  return type.kind === 'array' ? arrayToList(type, value) : value;
}

function jsonArray(list: string, depth: number, element: (name: string) => string): string {
  // Not array_to_string: a macro that names its list twice, so that each level of lists would double the work.
  const elements = `list_aggregate(${eachElement(list, depth, element)}, 'string_agg', ',')`;
  return `CASE WHEN ${list} IS NOT NULL THEN ${concat(["'['", `coalesce(${elements}, '')`, "']'"])} END`;
}

/** An array of values of different types, one expression each. */
function jsonTuple(values: readonly string[]): string {
  return concat(["'['", ...values.flatMap((value, index) => (index === 0 ? [value] : ["','", value])), "']'"]);
}

function jsonObject(entries: readonly (readonly [name: string, json: string])[]): string {
  const parts = entries.flatMap(([name, json], index) => [
    quoteLiteral(`${index === 0 ? '' : ','}${JSON.stringify(name)}:`),
    json,
  ]);
  return concat(["'{'", ...parts, "'}'"]);
}
