/** A way to put a value into another: an SQL expression around one of a known type. */
export interface Wrapping {
  readonly name: string;
  readonly wrap: (value: string, type: string) => string;
  readonly typeOf: (type: string) => string;
}

/** A value as a map's key can't be NULL: the map is NULL then. */
const unlessNull = (value: string, wrapped: string): string => `CASE WHEN ${value} IS NOT NULL THEN ${wrapped} END`;

const wrapping = (name: string, typeOf: Wrapping['typeOf'], wrap: Wrapping['wrap']): Wrapping => ({
  name,
  typeOf,
  wrap: (value, type) => `CAST(${wrap(value, type)} AS ${typeOf(type)})`,
});

/** Each nested type around one value, with a NULL beside it, twice, alone, or not at all. */
export const WRAPPINGS: readonly Wrapping[] = [
  wrapping('list', (type) => `${type}[]`, (value) => `[${value}, NULL, ${value}]`), // prettier-ignore
  wrapping(
    'array',
    (type) => `${type}[2]`,
    (value) => `[${value}, NULL]`,
  ),
  wrapping('struct', (type) => `STRUCT("a b" ${type}, "q""," ${type})`, (value) => `{'a b': ${value}, 'q",': NULL}`), // prettier-ignore
  wrapping('map value', (type) => `MAP(VARCHAR, ${type})`, (value) => `MAP {'k': ${value}, '': NULL}`), // prettier-ignore
  wrapping('map key', (type) => `MAP(${type}, INTEGER)`, (value, type) => unlessNull(value, `MAP([CAST(${value} AS ${type})], [1])`)), // prettier-ignore
  wrapping('union', (type) => `UNION("other" BOOLEAN, "m ""x" ${type})`, (value) => `union_value("m ""x" := ${value})`), // prettier-ignore
];

const EMPTY: readonly Wrapping[] = [
  wrapping(
    'empty list',
    (type) => `${type}[]`,
    () => '[]',
  ),
  wrapping(
    'empty map',
    (type) => `MAP(${type}, ${type})`,
    () => 'MAP {}',
  ),
];

/** Values and NULLs side by side, each with an ARRAY within what DuckDB can't cast to its storage form and back. */
const MIXED: readonly Wrapping[] = [
  wrapping('records', (type) => `STRUCT(i INTERVAL, a ${type}[2])[]`, (value) => `[{'i': to_days(1), 'a': [${value}, NULL]}, NULL]`), // prettier-ignore
  wrapping('tagged', (type) => `UNION(a ${type}[1], i INTERVAL)[]`, (value, type) => `[union_value(a := CAST([${value}] AS ${type}[1])), NULL]`), // prettier-ignore
];

/** Alone and in each nested type. */
export function wrappedOnce(value: string, type: string): string[] {
  return [value, ...WRAPPINGS.map((outer) => outer.wrap(value, type))];
}

/** One level, two levels in every pair, and empty ones. */
export function wrappedValues(value: string, type: string): string[] {
  const twice = WRAPPINGS.flatMap((outer) =>
    WRAPPINGS.map((inner) => outer.wrap(inner.wrap(value, type), inner.typeOf(type))),
  );
  return [...wrappedOnce(value, type), ...twice, ...[...MIXED, ...EMPTY].map(({ wrap }) => wrap(value, type))];
}
