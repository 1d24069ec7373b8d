import { parseDuckdbType, type DuckdbType, type TypeField } from './duckdb-type.js';
import { arrayToList, eachElement, structField } from './nested-expression.js';
import { quoteIdentifier, quoteLiteral } from './sql-text.js';
import { timeOffsetText } from './time-offset-text.js';
import { withoutArrays } from './array-free-type.js';
import { innerTypes } from './inner-types.js';
import { parseStorableType } from './storable-type.js';

/**
 * The form in which a value lies in Parquet when Parquet would change it, and the way back. Measured on DuckDB 1.5.6:
 * HUGEINT becomes DOUBLE, INTERVAL loses microseconds, TIMETZ its offset, UNION and ARRAY their kind, and so on.
 * What Parquet keeps is stored as it is.
 */

/** Scalars stored as their text, which DuckDB casts back exactly. */
const STORED_AS_TEXT: ReadonlySet<string> = new Set([
  'HUGEINT',
  'UHUGEINT',
  'BIGNUM',
  'BIT',
  // Its infinities have no place in Parquet.
  'TIMESTAMP_S',
]);

/** Scalars that come back from Parquet as another type, from which a cast restores them. */
const RESTORED_BY_CAST: ReadonlySet<string> = new Set(['TIMESTAMP_MS']);

/** Scalars whose storage form takes more than a cast. */
const HAS_OWN_FORM: ReadonlySet<string> = new Set(['INTERVAL', 'NULL', 'TIME WITH TIME ZONE']);

/** The SQL expression that puts a value of the type into its storage form. */
export function storageExpression(type: string, value: string): string {
  return store(parseStorableType(type), value, 0);
}

/** The SQL expression that makes the value again from its storage form. */
export function restoreExpression(type: string, value: string): string {
  const tree = parseDuckdbType(type);
  const restored = withoutArrays(tree);
  if (restored === tree || typeByCast(tree) !== undefined) return restore(tree, value, 0);
  // CASE knows no arrays, so that they are lists up to here.
  return `CAST(${restore(restored, value, 0)} AS ${type})`;
}

/** Whether the storage form differs from the value. */
export function isStoredDifferently(type: string): boolean {
  return differs(parseStorableType(type));
}

function differs(type: DuckdbType): boolean {
  if (type.kind === 'scalar')
    return STORED_AS_TEXT.has(type.name) || RESTORED_BY_CAST.has(type.name) || HAS_OWN_FORM.has(type.name);
  if (type.kind === 'enum' || type.kind === 'array' || type.kind === 'union') return true;
  // Parquet readers need names; DuckDB's own for an unnamed STRUCT are not fit to be read back.
  if (type.kind === 'struct' && type.fields.some(({ name }) => name === undefined)) return true;
  return innerTypes(type).some(differs);
}

/**
 * The type of the storage form where a cast leads there and back, at any depth. It does so faster than functions do,
 * and a map may then have equal keys, as after a cast of its keys.
 */
function typeByCast(type: DuckdbType): string | undefined {
  switch (type.kind) {
    case 'scalar':
      if (HAS_OWN_FORM.has(type.name)) return undefined;
      return STORED_AS_TEXT.has(type.name) ? 'VARCHAR' : type.text;
    case 'decimal':
      return type.text;
    case 'enum':
      return 'VARCHAR';
    case 'list':
    case 'array':
      return suffixed(typeByCast(type.element), '[]');
    case 'map': {
      const [key, value] = [typeByCast(type.key), typeByCast(type.value)];
      return key === undefined || value === undefined ? undefined : `MAP(${key}, ${value})`;
    }
    case 'struct':
      return structByCast(type.fields);
    case 'union':
      return undefined;
  }
}

function structByCast(fields: readonly TypeField[]): string | undefined {
  const items = fields.map(({ name, type }) =>
    name === undefined ? undefined : prefixed(`${quoteIdentifier(name)} `, typeByCast(type)),
  );
  return items.includes(undefined) ? undefined : `STRUCT(${items.join(', ')})`;
}

const suffixed = (text: string | undefined, suffix: string): string | undefined =>
  text === undefined ? undefined : text + suffix;
const prefixed = (prefix: string, text: string | undefined): string | undefined =>
  text === undefined ? undefined : prefix + text;

function store(type: DuckdbType, value: string, depth: number): string {
  if (!differs(type)) return value;
  const stored = typeByCast(type);
  if (stored !== undefined) return `CAST(${value} AS ${stored})`;
  switch (type.kind) {
    case 'scalar':
      return storeScalar(type.name, value);
    case 'decimal':
    case 'enum':
      return `CAST(${value} AS VARCHAR)`;
    case 'list':
      return eachElement(value, depth, (element) => store(type.element, element, depth + 1));
    case 'array': {
      const list = arrayToList(type, value);
      return differs(type.element) ? eachElement(list, depth, (e) => store(type.element, e, depth + 1)) : list;
    }
    case 'map':
      return mapEntries(type, value, depth, store);
    case 'struct':
      return packStruct(
        value,
        type.fields.map(({ name, type: field }, index) => ({
          name: name ?? `f${index + 1}`,
          expression: store(field, structField(value, name, index), depth + 1),
        })),
      );
    case 'union':
      return storeUnion(type, value, depth);
  }
}

function storeScalar(name: string, value: string): string {
  if (name === 'NULL') return `CAST(${value} AS INTEGER)`;
  if (name === 'INTERVAL') return storeInterval(value);
  if (name === 'TIME WITH TIME ZONE') return timeOffsetText(value);
  return STORED_AS_TEXT.has(name) ? `CAST(${value} AS VARCHAR)` : value;
}

function restore(type: DuckdbType, value: string, depth: number): string {
  if (!differs(type)) return value;
  if (typeByCast(type) !== undefined) return `CAST(${value} AS ${type.text})`;
  switch (type.kind) {
    case 'scalar':
      return restoreScalar(type.name, value);
    case 'decimal':
    case 'enum':
      return `CAST(${value} AS ${type.text})`;
    case 'list':
    case 'array':
      return eachElement(value, depth, (element) => restore(type.element, element, depth + 1));
    case 'map':
      return mapEntries(type, value, depth, restore);
    case 'struct':
      return restoreStruct(type, value, depth);
    case 'union':
      return restoreUnion(type, value, depth);
  }
}

function restoreScalar(name: string, value: string): string {
  if (name === 'NULL') return `CAST(${value} AS "NULL")`;
  if (name === 'INTERVAL') return restoreInterval(value);
  return `CAST(${value} AS ${name})`;
}

/** Months, days and microseconds, as DuckDB holds them; its text form can't be read back at the ends of the range. */
function storeInterval(value: string): string {
  const part = (name: string): string => `date_part('${name}', ${value})`;
  return packStruct(value, [
    { name: 'months', expression: `CAST(${part('year')} * 12 + ${part('month')} AS INTEGER)` },
    { name: 'days', expression: `CAST(${part('day')} AS INTEGER)` },
    {
      name: 'micros',
      expression: `${part('hour')} * 3600000000 + ${part('minute')} * 60000000 + ${part('microsecond')}`,
    },
  ]);
}

function restoreInterval(value: string): string {
  const field = (name: string): string => `struct_extract(${value}, '${name}')`;
  return `(to_months(${field('months')}) + to_days(${field('days')}) + to_microseconds(${field('micros')}))`;
}

function packStruct(value: string, fields: readonly { readonly name: string; readonly expression: string }[]): string {
  const packed = fields.map(({ name, expression }) => `${quoteIdentifier(name)} := ${expression}`).join(', ');
  return `CASE WHEN ${value} IS NOT NULL THEN struct_pack(${packed}) END`;
}

function restoreStruct(type: DuckdbType & { kind: 'struct' }, value: string, depth: number): string {
  const unnamed = type.fields.some(({ name }) => name === undefined);
  const fields = type.fields.map(({ name, type: field }, index) => {
    const stored = name ?? `f${index + 1}`;
    return { name: stored, expression: restore(field, structField(value, stored, index), depth + 1) };
  });
  if (!unnamed) return packStruct(value, fields);
  return `CASE WHEN ${value} IS NOT NULL THEN row(${fields.map(({ expression }) => expression).join(', ')}) END`;
}

function mapEntries(type: DuckdbType & { kind: 'map' }, value: string, depth: number, convert: typeof store): string {
  const entries = eachElement(`map_entries(${value})`, depth, (entry) => {
    const key = convert(type.key, `struct_extract(${entry}, 'key')`, depth + 1);
    return `struct_pack(k := ${key}, v := ${convert(type.value, `struct_extract(${entry}, 'value')`, depth + 1)})`;
  });
  return `CASE WHEN ${value} IS NOT NULL THEN map_from_entries(${entries}) END`;
}

/** The tag and one field for each member, all but the tag's being NULL. */
function storeUnion(type: DuckdbType & { kind: 'union' }, value: string, depth: number): string {
  const members = type.members.map(({ name = '', type: member }, index) => ({
    name: `m${index + 1}`,
    expression: store(member, `union_extract(${value}, ${quoteLiteral(name)})`, depth + 1),
  }));
  return packStruct(value, [{ name: 'tag', expression: `CAST(union_tag(${value}) AS VARCHAR)` }, ...members]);
}

function restoreUnion(type: DuckdbType & { kind: 'union' }, value: string, depth: number): string {
  const branches = type.members.map(({ name = '', type: member }, index) => {
    const inner = restore(member, structField(value, `m${index + 1}`, index), depth + 1);
    const made = `union_value(${quoteIdentifier(name)} := ${inner})`;
    // The type of a row has no spelling for a cast, and needs none here.
    return `WHEN ${quoteLiteral(name)} THEN ${type.members.length === 1 ? made : `CAST(${made} AS ${type.text})`}`;
  });
  return `CASE struct_extract(${value}, 'tag') ${branches.join(' ')} END`;
}
