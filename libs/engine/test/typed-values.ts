/** A type of DuckDB and values at its ends, as SQL. NULL is added to each where it is used. */
export interface TypedValues {
  readonly type: string;
  readonly values: readonly string[];
}

const quoted = (...texts: readonly string[]): string[] => texts.map((text) => `'${text.replaceAll("'", "''")}'`);

/** An integer of so many bits: its ends, and what lies around the last integer that every double holds. */
function integers(type: string, min: bigint, max: bigint): TypedValues {
  const around = [2n ** 53n - 1n, 2n ** 53n, 2n ** 53n + 1n];
  const inside = [0n, 1n, -1n, min, max, ...around, ...around.map((value) => -value)];
  return { type, values: quoted(...new Set(inside.filter((value) => value >= min && value <= max).map(String))) };
}

const signed = (type: string, bits: bigint): TypedValues =>
  integers(type, -(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n);
const unsigned = (type: string, bits: bigint): TypedValues => integers(type, 0n, 2n ** bits - 1n);

/** A DECIMAL: its ends, its smallest step, and 15 and 16 digits where it has them. */
function decimals(precision: number, scale: number): TypedValues {
  const nines = '9'.repeat(precision);
  const point = (digits: string): string => {
    const padded = digits.padStart(scale + 1, '0');
    return scale === 0 ? padded : `${padded.slice(0, -scale)}.${padded.slice(-scale)}`;
  };
  const fifteen = ['123456789012345', '1234567890123456'].filter(({ length }) => length <= precision);
  const texts = ['0', '1', nines, ...fifteen].map(point);
  return { type: `DECIMAL(${precision},${scale})`, values: quoted(...texts, ...texts.slice(1).map((t) => `-${t}`)) };
}

const NUMBERS: readonly TypedValues[] = [
  { type: 'BOOLEAN', values: ['true', 'false'] },
  signed('TINYINT', 8n),
  signed('SMALLINT', 16n),
  signed('INTEGER', 32n),
  signed('BIGINT', 64n),
  signed('HUGEINT', 128n),
  unsigned('UTINYINT', 8n),
  unsigned('USMALLINT', 16n),
  unsigned('UINTEGER', 32n),
  unsigned('UBIGINT', 64n),
  unsigned('UHUGEINT', 128n),
  integers('BIGNUM', -(10n ** 400n), 10n ** 400n),
  {
    type: 'FLOAT',
    values: quoted('0', '-0', '0.1', '1.17549435e-38', '1e-45', '3.4028235e38', '-3.4028235e38', '16777217', 'nan', 'inf', '-inf'), // prettier-ignore
  },
  {
    type: 'DOUBLE',
    values: quoted('0', '-0', '0.1', '5e-324', '2.2250738585072014e-308', '1.7976931348623157e308', '-1.7976931348623157e308', '9007199254740993', '0.30000000000000004', '1e21', '1e-7', 'nan', 'inf', '-inf'), // prettier-ignore
  },
  decimals(4, 4),
  decimals(9, 0),
  decimals(15, 3),
  decimals(18, 3),
  decimals(38, 0),
  decimals(38, 10),
  decimals(38, 38),
];

const TIMES: readonly TypedValues[] = [
  {
    type: 'DATE',
    values: quoted('1970-01-01', '2020-02-29', '0001-01-01', '0001-12-31 (BC)', '0044-03-15 (BC)', '5877642-06-25 (BC)', '5881580-07-10', '10000-01-01', 'infinity', '-infinity'), // prettier-ignore
  },
  { type: 'TIME', values: quoted('00:00:00', '12:30:00.5', '23:59:59.999999', '24:00:00', '00:00:00.000001') },
  { type: 'TIME_NS', values: quoted('00:00:00', '12:30:00.5', '23:59:59.999999999', '24:00:00', '00:00:00.000000001') }, // prettier-ignore
  {
    type: 'TIMETZ',
    values: quoted('00:00:00+00', '12:30:00.5+02', '24:00:00-15:59:59', '00:00:00+15:59:59', '23:59:59.999999-00:00:01', '12:00:00+05:30', '12:00:00-00:30'), // prettier-ignore
  },
  {
    type: 'TIMESTAMP',
    values: quoted('1970-01-01', '2020-02-29 12:00:00.123456', '1969-12-31 23:59:59.999999', '0044-03-15 (BC) 12:00:00.5', '290309-12-22 (BC) 00:00:00', '294247-01-10 04:00:54.775806', 'infinity', '-infinity'), // prettier-ignore
  },
  {
    type: 'TIMESTAMP_S',
    values: quoted('1970-01-01', '2020-02-29 12:00:00', '1969-12-31 23:59:59', '0044-03-15 (BC) 12:00:00', '290309-12-22 (BC) 00:00:00', '294247-01-10 04:00:54', 'infinity', '-infinity'), // prettier-ignore
  },
  {
    type: 'TIMESTAMP_MS',
    values: quoted('1970-01-01', '2020-02-29 12:00:00.123', '1969-12-31 23:59:59.999', '0044-03-15 (BC) 12:00:00', '290309-12-22 (BC) 00:00:00', '294247-01-10 04:00:54.775', 'infinity', '-infinity'), // prettier-ignore
  },
  {
    type: 'TIMESTAMP_NS',
    values: quoted('1970-01-01', '2020-02-29 12:00:00.123456789', '1969-12-31 23:59:59.999999999', '1677-09-22 00:00:00', '2262-04-11 23:47:16.854775806', 'infinity', '-infinity'), // prettier-ignore
  },
  {
    type: 'TIMESTAMPTZ',
    values: quoted('1970-01-01 00:00:00+00', '2020-02-29 12:00:00.123456+02', '2020-06-30 23:59:59-05:30', '0044-03-15 (BC) 12:00:00+00', '290309-12-22 (BC) 00:00:00+00', '290000-01-10 04:00:54.775806+00', 'infinity', '-infinity'), // prettier-ignore
  },
  {
    type: 'INTERVAL',
    values: [
      'to_days(0)',
      'to_months(1)',
      'to_days(30)',
      'to_hours(24)',
      'to_months(-13) + to_days(5) + to_microseconds(-3661000001)',
      'to_microseconds(-500000)',
      'to_microseconds(1)',
      'to_months(2147483647) + to_days(2147483647) + to_microseconds(9223372036854775807)',
      'to_months(-2147483648) + to_days(-2147483648) + to_microseconds(-9223372036854775808)',
    ],
  },
];

const TEXTS: readonly TypedValues[] = [
  {
    type: 'VARCHAR',
    values: [
      ...quoted(
        '',
        ' ',
        'NULL',
        'null',
        'true',
        '0',
        '[]',
        '{}',
        `q"u'o\\t,e;`,
        ' a ',
        'é',
        'e\u0301',
        '😀👩‍👩‍👧',
        '\u2028\u007f\ufeff',
      ),
      ...["chr(0)", "'a' || chr(0) || 'b'", "'a' || chr(13) || chr(10) || chr(9) || 'b'", "chr(1) || chr(2) || chr(31)", "repeat('long ', 4000)"], // prettier-ignore
    ],
  },
  { type: 'BLOB', values: [...quoted('', 'a', String.raw`\x00\xFF\x0A`), String.raw`repeat('\xAB\xCD'::BLOB, 3000)`] },
  { type: 'BIT', values: [...quoted('0', '1', '00101', '11111111', '000000001'), "repeat('10', 500)"] },
  {
    type: 'UUID',
    values: quoted('00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff', '550e8400-e29b-41d4-a716-446655440000', '80000000-0000-0000-0000-000000000001'), // prettier-ignore
  },
  {
    type: `ENUM('', 'a', 'A', 'b''c', 'x,y)', '(', '"', ' ', 'é😀', 'two\nlines')`,
    values: quoted('', 'a', 'A', "b'c", 'x,y)', '(', '"', ' ', 'é😀', 'two\nlines'),
  },
  {
    type: 'JSON',
    values: quoted('null', '{}', '[]', '""', '{"a": 1, "a": 2}', ' [1 ,2]', '123456789012345678901234567890.5', '1e400', '{"__proto__": null}', String.raw`"\u0000\ud83d\ude00"`), // prettier-ignore
  },
];

/** Every scalar type of DuckDB that a column of a result can have. */
export const SCALARS: readonly TypedValues[] = [...NUMBERS, ...TIMES, ...TEXTS];

/** The values and a NULL as a table of one column. */
export function valuesOf({ type, values }: TypedValues): string {
  return `(VALUES ${[...values, 'NULL'].map((value) => `(CAST(${value} AS ${type}))`).join(', ')})`;
}
