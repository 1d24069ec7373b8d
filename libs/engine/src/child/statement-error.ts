import { DomainError, type ErrorCode } from '@millrace/domain';
import { byteOffsetOfCodePoint, placeOf, type TextPlace } from '@millrace/sql';
import { type DuckdbError, isOutOfMemory, readDuckdbError } from './duckdb-error.js';
import { toStorageFull } from './storage-full.js';

const MESSAGE_LENGTH_MAX = 2_000;

export interface StatementText {
  /** The caller's statement. */
  readonly sql: string;
  /** UTF-8 bytes that stood before it in the text that was executed. */
  readonly prefixBytes: number;
}

/** An error of a statement as the caller's mistake, with its place; a full disk as that; anything else as it came. */
export function toStatementError(error: unknown, text: StatementText): unknown {
  const full = toStorageFull(error);
  if (full) return full;
  const duckdb = readDuckdbError(error);
  if (!duckdb || isOutOfMemory(duckdb) || duckdb.type === 'INTERRUPT') return error;
  const code = codeOf(duckdb);
  const message = code === 'sql.not_allowed' ? 'A statement reads tables of the catalog only.' : duckdb.message.trim();
  const cut = message.length > MESSAGE_LENGTH_MAX ? `${message.slice(0, MESSAGE_LENGTH_MAX)}…` : message;
  const place = placeIn(text, duckdb);
  return new DomainError(code, place ? `Line ${place.line}, column ${place.column}: ${cut}` : cut, {
    cause: error,
    ...(place && { errors: [{ ...place, message: cut }] }),
  });
}

function placeIn({ sql, prefixBytes }: StatementText, { subtype, position }: DuckdbError): TextPlace | undefined {
  if (position === undefined || !Number.isSafeInteger(position)) return undefined;
  const offset = position - prefixBytes;
  // A place outside the caller's text is one in ours, which means nothing to them.
  if (offset < 0 || offset > Buffer.byteLength(sql)) return undefined;
  // The parser counts code points, everything behind it UTF-8 bytes. Its errors come from the bare statement, or from
  // behind the word DESCRIBE: the same number of both.
  return placeOf(sql, subtype === 'SYNTAX_ERROR' ? byteOffsetOfCodePoint(sql, offset) : offset);
}

function codeOf(error: DuckdbError): ErrorCode {
  switch (error.type) {
    case 'Parser':
    case 'Syntax':
      return 'sql.syntax';
    case 'Catalog':
      return catalogCode(error);
    case 'Binder':
      return binderCode(error);
    case 'Permission':
      return 'sql.not_allowed';
    case 'Not implemented':
    case 'Mismatch Type':
      return 'sql.invalid';
    default:
      // Conversion, Out of Range, Invalid Input, …: what only the values show.
      return 'sql.failed';
  }
}

function catalogCode({ entryType = '', message }: DuckdbError): ErrorCode {
  if (/function|macro/i.test(entryType)) return 'function.unknown';
  // A type of an extension that is not there comes without the kind of the thing that was looked for.
  return /type|collation/i.test(entryType) || message.startsWith('Type ') ? 'sql.invalid' : 'table.unknown';
}

function binderCode({ subtype, message }: DuckdbError): ErrorCode {
  if (subtype === 'COLUMN_NOT_FOUND' || /does not have a column named|^Referenced column/.test(message))
    return 'column.unknown';
  if (/^Referenced table|^Catalog "[^]*" does not exist/.test(message)) return 'table.unknown';
  return 'sql.invalid';
}
