/** DuckDB holds a vector of 2,048 values for each step of each expression of a statement: 10,000 columns took 1.5 GB. */
const COLUMNS_AT_ONCE = 1_000;
/** An expression has the more steps the longer it is: 60 for an INTERVAL in JSON, of which 900 columns took as much. */
const SQL_LENGTH_AT_ONCE = 120_000;

/**
 * Cuts the columns of a table into parts, each of which a statement can encode within the memory of a child.
 *
 * @param sqlOf the expression that encodes a column
 * @returns at least one part
 */
export function columnParts<T>(columns: readonly T[], sqlOf: (column: T) => string): T[][] {
  let part: T[] = [];
  let length = 0;
  const parts = [part];
  for (const column of columns) {
    const added = sqlOf(column).length;
    if (part.length >= COLUMNS_AT_ONCE || (part.length > 0 && length + added > SQL_LENGTH_AT_ONCE)) {
      parts.push((part = []));
      length = 0;
    }
    part.push(column);
    length += added;
  }
  return parts;
}
