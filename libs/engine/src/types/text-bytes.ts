import { parseDuckdbType } from './duckdb-type.js';
import type { NamedColumn } from './named-columns.js';
import { quoteIdentifier } from './sql-text.js';

/** Above it, what has to be escaped in a text is counted; below, it is not worth the time. */
const COUNTED_BYTES_MIN = 1024 ** 2;
/** What is two characters in a JSON string, and what is six. A NUL, which no SQL text can hold, counts as one. */
const IN_TWO = String.raw`"\\\b\f\n\r\t`;
const IN_SIX = [...Array(31).keys()].map((index) => index + 1).filter((code) => ![8, 9, 10, 12, 13].includes(code));

/** Bytes of the texts of a row: an SQL expression, which costs next to nothing. Undefined where no column is a text. */
export function textLengthExpression(columns: readonly NamedColumn[]): string | undefined {
  const lengths = columns.filter(({ type }) => isText(type)).map(({ name }) => `strlen(${quoteIdentifier(name)})`);
  return lengths.length === 0 ? undefined : sumOf(lengths);
}

/**
 * Bytes that a row has in JSON at least, as far as its texts go: an SQL expression. It is cheap beside the JSON, and tells
 * whether that can be made. Undefined where no column is a text.
 */
export function textBytesExpression(columns: readonly NamedColumn[]): string | undefined {
  const sizes = columns.flatMap((column) => textBytes(column) ?? []);
  return sizes.length === 0 ? undefined : sumOf(sizes);
}

/** The same of one column; NULL for NULL. */
export function textBytes({ name, type }: NamedColumn): string | undefined {
  const tree = parseDuckdbType(type);
  const value = quoteIdentifier(name);
  if (tree.kind !== 'scalar') return undefined;
  if (tree.name === 'BLOB') return `octet_length(${value})`;
  if (!isText(type)) return undefined;
  const [inTwo, inSix] = [escapedIn(value, `e'${IN_TWO}'`), escapedIn(value, concatOfCodes(IN_SIX))];
  return `CASE WHEN strlen(${value}) < ${COUNTED_BYTES_MIN} THEN strlen(${value}) ELSE strlen(${value}) + ${inTwo} + 5 * ${inSix} END`;
}

/** Whether a column has texts of any length, which can be cut. */
export function isText(type: string): boolean {
  const tree = parseDuckdbType(type);
  return tree.kind === 'scalar' && (tree.name === 'VARCHAR' || tree.name === 'JSON');
}

function escapedIn(value: string, characters: string): string {
  return `(strlen(${value}) - strlen(translate(CAST(${value} AS VARCHAR), ${characters}, '')))`;
}

function concatOfCodes(codes: readonly number[]): string {
  return `concat(${codes.map((code) => `chr(${code})`).join(', ')})`;
}

/** Halves, and halves of these: a chain would be as deep as it is long. */
function sumOf(sizes: readonly string[]): string {
  if (sizes.length === 1) return `coalesce(${sizes[0]}, 0)`;
  const middle = Math.ceil(sizes.length / 2);
  return `(${sumOf(sizes.slice(0, middle))} + ${sumOf(sizes.slice(middle))})`;
}
