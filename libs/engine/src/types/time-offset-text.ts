/**
 * A TIMETZ as its text, `12:00:00+02:00`, which DuckDB reads back exactly: an SQL expression. DuckDB's own text leaves
 * out minutes that are zero before seconds that are not, so that `-00:00:01` becomes a minute.
 */
export function timeOffsetText(value: string): string {
  const offset = `date_part('timezone', ${value})`;
  const size = `abs(${offset})`;
  const digits = (part: string): string => `lpad(CAST(${part} AS VARCHAR), 2, '0')`;
  const sign = `CASE WHEN ${offset} < 0 THEN '-' ELSE '+' END`;
  const seconds = `CASE WHEN ${size} % 60 <> 0 THEN ':' || ${digits(`${size} % 60`)} ELSE '' END`;
  const clock = `CAST(CAST(${value} AS TIME) AS VARCHAR)`;
  return `(${clock} || ${sign} || ${digits(`${size} // 3600`)} || ':' || ${digits(`${size} // 60 % 60`)} || ${seconds})`;
}
