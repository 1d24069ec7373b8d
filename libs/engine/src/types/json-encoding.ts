import { parseDuckdbType, type DuckdbType } from './duckdb-type.js';
import { arrayToList, eachElement, structField } from './nested-expression.js';
import { quoteIdentifier, quoteLiteral } from './sql-text.js';

/**
 * The rule of the HTTP contract ("Values") as SQL: nothing is lost at any depth. A number that a double can't hold
 * exactly is a string; so are NaN and the infinities. Everything here runs inside DuckDB, over the result file.
 */

/** Digits that every double keeps. */
const EXACT_DIGITS = 15;
/** 2^53: beyond it a double skips integers. */
const EXACT_INTEGER_MAX = 9_007_199_254_740_992n;

/** One row as the text of a JSON array: an SQL expression over columns of the given names and types. */
export function jsonRowExpression(columns: readonly { readonly name: string; readonly type: string }[]): string {
  const values = columns.map(({ name, type }) => jsonExpression(parseDuckdbType(type), quoteIdentifier(name)));
  return concat(["'['", ...values.flatMap((value, index) => (index === 0 ? [value] : ["','", value])), "']'"]);
}

/** The JSON text of a value, never NULL: an SQL expression of type VARCHAR. */
export function jsonExpression(type: DuckdbType, value: string, depth = 0): string {
  return `coalesce(${encode(type, value, depth)}, 'null')`;
}

function encode(type: DuckdbType, value: string, depth: number): string {
  switch (type.kind) {
    case 'scalar':
      return encodeScalar(type.name, value);
    case 'decimal':
      return type.precision <= EXACT_DIGITS ? text(value) : encodeWideDecimal(value);
    case 'enum':
      return jsonText(text(value));
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
    return concat(["'['", ...inner.flatMap(({ json }, index) => (index === 0 ? [json] : ["','", json])), "']'"]);
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
      return text(value);
    case 'BIGINT':
    case 'HUGEINT':
      return exactInteger(value, `${value} BETWEEN -${EXACT_INTEGER_MAX} AND ${EXACT_INTEGER_MAX}`);
    case 'UBIGINT':
    case 'UHUGEINT':
      return exactInteger(value, `${value} <= ${EXACT_INTEGER_MAX}`);
    case 'BIGNUM':
      // BIGNUM compares through DOUBLE: its digits decide.
      return exactInteger(value, `length(ltrim(${text(value)}, '-')) <= ${EXACT_DIGITS}`);
    case 'FLOAT':
    case 'DOUBLE':
      return (
        `CASE WHEN isfinite(${value}) THEN ${text(value)} WHEN isnan(${value}) THEN '"NaN"' ` +
        `WHEN ${value} > 0 THEN '"Infinity"' WHEN ${value} < 0 THEN '"-Infinity"' END`
      );
    case 'TIMESTAMP':
    case 'TIMESTAMP_S':
    case 'TIMESTAMP_MS':
    case 'TIMESTAMP_NS':
      return quoted(rfc3339(text(value)));
    case 'TIMESTAMP WITH TIME ZONE':
      return `CASE WHEN isfinite(${value}) THEN ${quoted(`${rfc3339(text(`timezone('UTC', ${value})`))} || 'Z'`)} ELSE ${quoted(text(value))} END`;
    case 'TIME WITH TIME ZONE':
      return quoted(encodeTimeOffset(text(value)));
    case 'INTERVAL':
      return quoted(encodeInterval(value));
    case 'BLOB':
      return quoted(`base64(${value})`);
    case 'DATE':
    case 'TIME':
    case 'TIME_NS':
    case 'UUID':
    case 'BIT':
      return quoted(text(value));
    case 'NULL':
      return 'NULL::VARCHAR';
    default:
      // VARCHAR; JSON, as its text: a JSON null is not an SQL NULL, and its numbers may be beyond a double.
      return jsonText(text(value));
  }
}

const text = (value: string): string => `CAST(${value} AS VARCHAR)`;
const quoted = (value: string): string => `'"' || ${value} || '"'`;
const jsonText = (value: string): string => `CAST(to_json(${value}) AS VARCHAR)`;
/** One call, however many parts there are: a chain of `||` is as deep as it is long, and DuckDB allows 1,000 levels. */
const concat = (parts: readonly string[]): string => `concat(${parts.join(', ')})`;

function exactInteger(value: string, isExact: string): string {
  return `CASE WHEN ${isExact} THEN ${text(value)} ELSE ${quoted(text(value))} END`;
}

/** By value, not by type: SUM of DECIMAL(12,2) has 38 digits of room and is a number as long as a double holds it. */
function encodeWideDecimal(value: string): string {
  const written = `CASE WHEN contains(${text(value)}, '.') THEN rtrim(${text(value)}, '0') ELSE ${text(value)} END`;
  const digits = `length(ltrim(replace(replace(${written}, '.', ''), '-', ''), '0'))`;
  return `CASE WHEN ${digits} <= ${EXACT_DIGITS} THEN ${text(value)} ELSE ${quoted(text(value))} END`;
}

/** The space between date and time becomes `T`; years before 1 carry DuckDB's `(BC)` after the time. */
function rfc3339(timestamp: string): string {
  return `regexp_replace(${timestamp}, '^(\\S+)( \\(BC\\))? (\\S+)$', '\\1T\\3\\2')`;
}

/** DuckDB writes `12:00:00+02`; RFC 3339 wants minutes, and `Z` for no offset. */
function encodeTimeOffset(time: string): string {
  return `regexp_replace(regexp_replace(${time}, '([+-]\\d\\d)$', '\\1:00'), '\\+00:00$', 'Z')`;
}

/** ISO 8601; months, days and microseconds each keep their own sign, as DuckDB keeps them apart. */
function encodeInterval(value: string): string {
  const part = (name: string): string => `date_part('${name}', ${value})`;
  const item = (name: string, unit: string): string =>
    `CASE WHEN ${part(name)} <> 0 THEN ${part(name)} || '${unit}' ELSE '' END`;
  const micros = part('microsecond');
  const fraction = `CASE WHEN ${micros} % 1000000 <> 0 THEN '.' || rtrim(lpad(CAST(abs(${micros} % 1000000) AS VARCHAR), 6, '0'), '0') ELSE '' END`;
  const seconds = `CASE WHEN ${micros} <> 0 THEN CASE WHEN ${micros} < 0 THEN '-' ELSE '' END || abs(${micros}) // 1000000 || ${fraction} || 'S' ELSE '' END`;
  const date = concat([item('year', 'Y'), item('month', 'M'), item('day', 'D')]);
  const time = concat([item('hour', 'H'), item('minute', 'M'), seconds]);
  return `CASE WHEN ${time} <> '' THEN 'P' || ${date} || 'T' || ${time} WHEN ${date} <> '' THEN 'P' || ${date} WHEN ${value} IS NOT NULL THEN 'PT0S' END`;
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

function jsonObject(entries: readonly (readonly [name: string, json: string])[]): string {
  const parts = entries.flatMap(([name, json], index) => [
    quoteLiteral(`${index === 0 ? '' : ','}${JSON.stringify(name)}:`),
    json,
  ]);
  return concat(["'{'", ...parts, "'}'"]);
}
