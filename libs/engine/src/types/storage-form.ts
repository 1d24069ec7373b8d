import { DomainError } from '@millrace/domain';
import { parseDuckdbType, type DuckdbType } from './duckdb-type.js';
import { arrayToList, eachElement, structField } from './nested-expression.js';
import { quoteIdentifier, quoteLiteral } from './sql-text.js';
import { LISTS_MAX, listsIn } from './type-nesting.js';

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
  'TIME WITH TIME ZONE',
  // Its infinities have no place in Parquet.
  'TIMESTAMP_S',
]);

/** Scalars that come back from Parquet as another type, from which a cast restores them. */
const RESTORED_BY_CAST: ReadonlySet<string> = new Set(['TIMESTAMP_MS']);

const REFUSED: ReadonlySet<string> = new Set(['VARIANT', 'GEOMETRY']);

/** The SQL expression that puts a value of the type into its storage form. */
export function storageExpression(type: string, value: string): string {
  const tree = parseDuckdbType(type);
  refuseUnstorable(tree);
  return store(tree, value, 0);
}

/** The SQL expression that makes the value again from its storage form. */
export function restoreExpression(type: string, value: string): string {
  return restore(parseDuckdbType(type), value, 0);
}

/** Whether the storage form differs from the value. */
export function isStoredDifferently(type: string): boolean {
  const tree = parseDuckdbType(type);
  refuseUnstorable(tree);
  return differs(tree);
}

function refuseUnstorable(type: DuckdbType): void {
  if (listsIn(type) > LISTS_MAX) {
    throw new DomainError(
      'sql.invalid',
      `A column with more than ${LISTS_MAX} lists within each other can't be kept in a table; cast it, for example to JSON.`,
    );
  }
  refuseTypes(type);
}

function refuseTypes(type: DuckdbType): void {
  if (type.kind === 'scalar' && REFUSED.has(type.name)) {
    throw new DomainError(
      'sql.invalid',
      `A column of type ${type.name} can't be kept in a table without loss; cast it, for example to JSON, VARCHAR or BLOB.`,
    );
  }
  for (const inner of innerTypes(type)) refuseTypes(inner);
}

function innerTypes(type: DuckdbType): readonly DuckdbType[] {
  switch (type.kind) {
    case 'list':
    case 'array':
      return [type.element];
    case 'map':
      return [type.key, type.value];
    case 'struct':
      return type.fields.map((field) => field.type);
    case 'union':
      return type.members.map((member) => member.type);
    case 'scalar':
    case 'decimal':
    case 'enum':
      return [];
  }
}

function differs(type: DuckdbType): boolean {
  if (type.kind === 'scalar')
    return STORED_AS_TEXT.has(type.name) || RESTORED_BY_CAST.has(type.name) || isSpecial(type.name);
  if (type.kind === 'enum' || type.kind === 'array' || type.kind === 'union') return true;
  // Parquet readers need names; DuckDB's own for an unnamed STRUCT are not fit to be read back.
  if (type.kind === 'struct' && type.fields.some(({ name }) => name === undefined)) return true;
  return innerTypes(type).some(differs);
}

const isSpecial = (name: string): boolean => name === 'INTERVAL' || name === 'NULL';

function store(type: DuckdbType, value: string, depth: number): string {
  if (!differs(type)) return value;
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
  return STORED_AS_TEXT.has(name) ? `CAST(${value} AS VARCHAR)` : value;
}

function restore(type: DuckdbType, value: string, depth: number): string {
  if (!differs(type)) return value;
  switch (type.kind) {
    case 'scalar':
      return restoreScalar(type.name, value);
    case 'decimal':
    case 'enum':
      return `CAST(${value} AS ${type.text})`;
    case 'list':
      return eachElement(value, depth, (element) => restore(type.element, element, depth + 1));
    case 'array': {
      const list = differs(type.element)
        ? eachElement(value, depth, (e) => restore(type.element, e, depth + 1))
        : value;
      return `CAST(${list} AS ${type.text})`;
    }
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
    return `WHEN ${quoteLiteral(name)} THEN CAST(union_value(${quoteIdentifier(name)} := ${inner}) AS ${type.text})`;
  });
  return `CASE struct_extract(${value}, 'tag') ${branches.join(' ')} END`;
}
