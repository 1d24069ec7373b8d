import { parseDuckdbType } from '../../types/duckdb-type.js';

/** A longer text is shown by its beginning, and counted with those that begin like it. */
const TEXT_LENGTH_MAX = 100;

/** How the values of a type lie on a line, on which a histogram has its parts. */
export interface ValueAxis {
  /** A HUGEINT where positions are whole, else a DOUBLE; NULL for what has no place, such as an infinity. */
  readonly positionOf: (value: string) => string;
  readonly isWhole: boolean;
  /** The type that a position is shown as, and how it becomes that. */
  readonly placeType: string;
  readonly placeAt: (position: string) => string;
}

/** What can be said about the values of a type: all of it as SQL expressions over a value. */
export interface ProfiledType {
  readonly shownType: string;
  readonly shown: (value: string) => string;
  /** As a DOUBLE that has a mean; absent for what is no number. */
  readonly numberOf?: (value: string) => string;
  /** Absent where values have no distance from each other. */
  readonly axis?: ValueAxis;
}

const EXACT_MEAN_TYPES: ReadonlySet<string> = new Set(['TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT']);
const UNSIGNED_TYPES: ReadonlySet<string> = new Set(['UTINYINT', 'USMALLINT', 'UINTEGER', 'UBIGINT']);
const TEXT_TYPES: ReadonlySet<string> = new Set(['VARCHAR', 'JSON', 'BIT']);
const PLAIN_TYPES: ReadonlySet<string> = new Set(['BOOLEAN', 'UUID', 'INTERVAL', 'TIME WITH TIME ZONE']);

/** Undefined for types of which only the NULLs are counted: nested ones, and bytes. */
export function profiledType(type: string): ProfiledType | undefined {
  const tree = parseDuckdbType(type);
  switch (tree.kind) {
    case 'scalar':
      return profiledScalar(tree.name);
    case 'decimal':
      return { ...plain(type), ...measured(asDouble) };
    case 'enum':
      return TEXT;
    default:
      return undefined;
  }
}

function profiledScalar(name: string): ProfiledType | undefined {
  if (TEXT_TYPES.has(name)) return TEXT;
  if (PLAIN_TYPES.has(name)) return plain(name);
  if (EXACT_MEAN_TYPES.has(name)) return { ...plain(name), numberOf: (value) => value, axis: WHOLE_NUMBERS };
  if (UNSIGNED_TYPES.has(name)) return { ...plain(name), numberOf: asDouble, axis: WHOLE_NUMBERS };
  if (name === 'HUGEINT' || name === 'UHUGEINT') return { ...plain(name), ...measured(asDouble) };
  if (name === 'FLOAT' || name === 'DOUBLE') return { ...plain(name), ...measured(asFiniteDouble) };
  const axis = timeAxis(name);
  return axis && { ...plain(name), axis };
}

const plain = (type: string): ProfiledType => ({ shownType: type, shown: (value) => value });

const TEXT: ProfiledType = {
  shownType: 'VARCHAR',
  shown: (value) => `left(CAST(${value} AS VARCHAR), ${TEXT_LENGTH_MAX})`,
};

/** The sum of numbers of 38 digits has no type of its own: their mean is that of doubles. */
const asDouble = (value: string): string => `CAST(${value} AS DOUBLE)`;
const asFiniteDouble = (value: string): string => `CASE WHEN isfinite(${value}) THEN ${asDouble(value)} END`;

const measured = (numberOf: (value: string) => string): Pick<ProfiledType, 'numberOf' | 'axis'> => ({
  numberOf,
  axis: { positionOf: numberOf, isWhole: false, placeType: 'DOUBLE', placeAt: (position) => position },
});

const WHOLE_NUMBERS: ValueAxis = {
  positionOf: (value) => `CAST(${value} AS HUGEINT)`,
  isWhole: true,
  placeType: 'HUGEINT',
  placeAt: (position) => position,
};

/** Days, or microseconds. */
function timeAxis(name: string): ValueAxis | undefined {
  switch (name) {
    case 'DATE':
      return {
        positionOf: (value) => `CASE WHEN isfinite(${value}) THEN CAST(${value} - DATE '1970-01-01' AS HUGEINT) END`,
        isWhole: true,
        placeType: 'DATE',
        placeAt: (position) => `DATE '1970-01-01' + CAST(${position} AS INTEGER)`,
      };
    case 'TIME':
      return {
        positionOf: (value) => `CAST(date_diff('microsecond', TIME '00:00', ${value}) AS HUGEINT)`,
        isWhole: true,
        placeType: 'TIME',
        placeAt: (position) => `TIME '00:00' + to_microseconds(CAST(${position} AS BIGINT))`,
      };
    case 'TIMESTAMP':
    case 'TIMESTAMP_S':
    case 'TIMESTAMP_MS':
    case 'TIMESTAMP_NS':
    case 'TIMESTAMP WITH TIME ZONE':
      return instantAxis(name === 'TIMESTAMP WITH TIME ZONE' ? name : 'TIMESTAMP');
    default:
      return undefined;
  }
}

const instantAxis = (placeType: string): ValueAxis => ({
  positionOf: (value) => `CASE WHEN isfinite(${value}) THEN CAST(epoch_us(${value}) AS HUGEINT) END`,
  isWhole: true,
  placeType,
  placeAt: (position) => `CAST(make_timestamp(CAST(${position} AS BIGINT)) AS ${placeType})`,
});
