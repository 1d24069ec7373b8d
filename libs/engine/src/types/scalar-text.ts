import { timeOffsetText } from './time-offset-text.js';

/**
 * The text of a scalar by the rule of the HTTP contract ("Values"), NULL for NULL: what stands between the quotes of a
 * JSON string, or bare in a field of CSV. An SQL expression of type VARCHAR.
 */
export function scalarText(name: string, value: string): string {
  switch (name) {
    case 'FLOAT':
    case 'DOUBLE':
      return (
        `CASE WHEN isfinite(${value}) THEN ${plainText(value)} WHEN isnan(${value}) THEN 'NaN' ` +
        `WHEN ${value} > 0 THEN 'Infinity' WHEN ${value} < 0 THEN '-Infinity' END`
      );
    case 'TIMESTAMP':
    case 'TIMESTAMP_S':
    case 'TIMESTAMP_MS':
      return rfc3339(value, name);
    case 'TIMESTAMP_NS':
      // Its years are those from 1677 to 2262.
      return withT(plainText(value));
    case 'TIMESTAMP WITH TIME ZONE': {
      // Not by 'timezone': its calendar ends before the range of the type does.
      const inUtc = rfc3339(`make_timestamp(epoch_us(${value}))`, 'TIMESTAMP');
      return `CASE WHEN isfinite(${value}) THEN ${inUtc} || 'Z' ELSE ${plainText(value)} END`;
    }
    case 'TIME WITH TIME ZONE':
      return timeWithOffset(value);
    case 'INTERVAL':
      return isoInterval(value);
    case 'BLOB':
      return `base64(${value})`;
    case 'NULL':
      return 'NULL::VARCHAR';
    default:
      return plainText(value);
  }
}

/** The text that DuckDB gives a value. */
export function plainText(value: string): string {
  return `CAST(${value} AS VARCHAR)`;
}

/** The digits of a DECIMAL. DuckDB writes no zero before the point of one without whole digits; JSON wants it. */
export function decimalText({ precision, scale }: { precision: number; scale: number }, value: string): string {
  const plain = plainText(value);
  return precision === scale ? `regexp_replace(${plain}, '^(-?)\\.', '\\10.')` : plain;
}

/** One call, however many parts there are: a chain of `||` is as deep as it is long, and DuckDB allows 1,000 levels. */
export function concat(parts: readonly string[]): string {
  return `concat(${parts.join(', ')})`;
}

/**
 * The space between date and time becomes `T`; years before 1 carry DuckDB's `(BC)` after the time. Only these are worth a
 * regular expression, which took as long as all other columns of a table together.
 */
function rfc3339(value: string, type: string): string {
  const text = plainText(value);
  const ancient = `regexp_replace(${text}, '^(\\S+)( \\(BC\\))? (\\S+)$', '\\1T\\3\\2')`;
  return `CASE WHEN ${value} >= CAST('0001-01-01' AS ${type}) THEN ${withT(text)} ELSE ${ancient} END`;
}

function withT(timestamp: string): string {
  return `replace(${timestamp}, ' ', 'T')`;
}

/** RFC 3339 wants `Z` for no offset. */
function timeWithOffset(value: string): string {
  return `regexp_replace(${timeOffsetText(value)}, '\\+00:00$', 'Z')`;
}

/** ISO 8601; months, days and microseconds each keep their own sign, as DuckDB keeps them apart. */
function isoInterval(value: string): string {
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
