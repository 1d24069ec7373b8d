import fc from 'fast-check';
import { SCALARS } from './typed-values.js';

/** A type and how to make values of it: SQL expressions of exactly this type. */
interface TypeShape {
  readonly type: string;
  readonly value: fc.Arbitrary<string>;
}

const DEPTH_MAX = 4;
const COLUMNS_MAX = 3;
const ROWS_MAX = 4;

/** A SELECT of a few columns of random types, up to four levels deep, over a few random rows with NULLs among them. */
export function randomTable(): fc.Arbitrary<string> {
  return fc
    .array(shapes(DEPTH_MAX), { minLength: 1, maxLength: COLUMNS_MAX })
    .chain((columns) => fc.array(rowOf(columns), { minLength: 1, maxLength: ROWS_MAX }))
    .map((rows) => rows.map((row) => `SELECT ${row}`).join(' UNION ALL '));
}

function rowOf(columns: readonly TypeShape[]): fc.Arbitrary<string> {
  return fc
    .tuple(...columns.map(nullable))
    .map((values) => values.map((value, index) => `${value} AS c${index}`).join(', '));
}

function nullable({ type, value }: TypeShape): fc.Arbitrary<string> {
  return fc.oneof({ weight: 4, arbitrary: value }, { weight: 1, arbitrary: fc.constant(`CAST(NULL AS ${type})`) });
}

function shapes(depth: number): fc.Arbitrary<TypeShape> {
  if (depth === 0) return scalars();
  const inner = shapes(depth - 1);
  const names = fc.uniqueArray(fieldName(), { minLength: 1, maxLength: 3, selector: (name) => name.toLowerCase() });
  return fc.oneof(
    { weight: 3, arbitrary: scalars() },
    { weight: 1, arbitrary: inner.map(listShape) },
    { weight: 1, arbitrary: fc.tuple(inner, fc.integer({ min: 1, max: 3 })).map(arrayShape) },
    { weight: 1, arbitrary: fc.tuple(inner, inner).map(mapShape) },
    { weight: 2, arbitrary: fields(names, inner).map(structShape) },
    { weight: 1, arbitrary: fields(names, inner).map(unionShape) },
  );
}

type Fields = readonly (readonly [name: string, shape: TypeShape])[];

function fields(names: fc.Arbitrary<string[]>, inner: fc.Arbitrary<TypeShape>): fc.Arbitrary<Fields> {
  return names.chain((list) =>
    fc.tuple(...list.map((name) => inner.map((shape) => [quoteName(name), shape] as const))),
  );
}

/** What the client of DuckDB can tell from an object's own: `__proto__` is for tests by hand. */
function fieldName(): fc.Arbitrary<string> {
  const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 6 });
  return fc
    .oneof(text, fc.constantFrom('a', 'select', 'a"b', "it's", 'a, b)', 'INTEGER', '\n'))
    .filter((name) => !name.includes('\0') && name !== '__proto__');
}

const quoteName = (name: string): string => `"${name.replaceAll('"', '""')}"`;

function listShape({ type, value }: TypeShape): TypeShape {
  const items = fc.array(nullable({ type, value }), { maxLength: 3 });
  return { type: `${type}[]`, value: items.map((list) => `CAST([${list.join(', ')}] AS ${type}[])`) };
}

function arrayShape([element, length]: readonly [TypeShape, number]): TypeShape {
  const items = fc.array(nullable(element), { minLength: length, maxLength: length });
  return { type: `${element.type}[${length}]`, value: items.map((list) => `array_value(${list.join(', ')})`) };
}

/** One entry at most: random keys may be equal. */
function mapShape([key, item]: readonly [TypeShape, TypeShape]): TypeShape {
  const type = `MAP(${key.type}, ${item.type})`;
  const entry = fc.tuple(key.value, nullable(item)).map(([k, v]) => `MAP([${k}], [${v}])`);
  return { type, value: fc.oneof({ weight: 3, arbitrary: entry }, fc.constant(`CAST(MAP {} AS ${type})`)) };
}

function structShape(list: Fields): TypeShape {
  const type = `STRUCT(${list.map(([name, shape]) => `${name} ${shape.type}`).join(', ')})`;
  const items = fc.tuple(...list.map(([name, shape]) => nullable(shape).map((value) => `${name} := ${value}`)));
  return { type, value: items.map((values) => `struct_pack(${values.join(', ')})`) };
}

function unionShape(list: Fields): TypeShape {
  const type = `UNION(${list.map(([name, shape]) => `${name} ${shape.type}`).join(', ')})`;
  const members = list.map(([name, shape]) =>
    nullable(shape).map((value) => `CAST(union_value(${name} := ${value}) AS ${type})`),
  );
  return { type, value: fc.oneof(...members) };
}

/** The values that stand at the ends of each type, and random ones where a text makes them. */
function scalars(): fc.Arbitrary<TypeShape> {
  return fc.constantFrom(...SCALARS).map(({ type, values }) => {
    const known = fc.constantFrom(...values);
    const random = randomTexts(type)?.map((text) => `'${text.replaceAll("'", "''")}'`);
    const value = random ? fc.oneof(known, random) : known;
    return { type, value: value.map((sql) => `CAST(${sql} AS ${type})`) };
  });
}

function randomTexts(type: string): fc.Arbitrary<string> | undefined {
  const number = (bits: number, signed: boolean): fc.Arbitrary<string> =>
    fc.bigInt({ min: signed ? -(2n ** BigInt(bits - 1)) : 0n, max: 2n ** BigInt(bits - 1) - 1n }).map(String);
  const day = fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true });
  const micros = fc.integer({ min: 0, max: 999 }).map((value) => String(value).padStart(3, '0'));
  const instants = fc.tuple(day, micros).map(([date, rest]) => `${date.toISOString().slice(0, -1)}${rest}`);
  switch (type) {
    case 'BIGINT':
      return number(64, true);
    case 'HUGEINT':
      return number(128, true);
    case 'UHUGEINT':
      return number(128, false);
    case 'BIGNUM':
      return number(300, true);
    case 'DECIMAL(38,10)':
      return fc.tuple(number(90, true), number(30, false)).map(([whole, rest]) => `${whole}.${rest}`);
    case 'FLOAT':
      return fc.float({ noNaN: true, noDefaultInfinity: true }).map((value) => String(value));
    case 'DOUBLE':
      return fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => String(value));
    case 'VARCHAR':
      return fc.string({ unit: 'binary', maxLength: 20 }).filter((text) => !text.includes('\0') && text.isWellFormed());
    case 'DATE':
      return day.map((date) => date.toISOString().slice(0, 10));
    case 'TIMESTAMP':
      return instants;
    case 'TIMESTAMPTZ':
      return fc
        .tuple(instants, fc.integer({ min: 0, max: 12 }))
        .map(([text, hours]) => `${text}+${String(hours).padStart(2, '0')}`);
    case 'BIT':
      return fc.array(fc.constantFrom('0', '1'), { minLength: 1, maxLength: 70 }).map((bits) => bits.join(''));
    case 'UUID':
      return fc.uuid();
    default:
      return undefined;
  }
}
