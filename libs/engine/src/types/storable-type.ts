import { DomainError } from '@millrace/domain';
import { parseDuckdbType, type DuckdbType } from './duckdb-type.js';
import { innerTypes } from './inner-types.js';
import { INTEGER_TYPES } from './integer-types.js';
import { LISTS_MAX, listsIn, NESTING_MAX, nestingOf } from './type-nesting.js';

/** The scalars that have a storage form and a JSON encoding. A new one of DuckDB is refused until it has both. */
const STORABLE: ReadonlySet<string> = new Set([
  'BOOLEAN',
  ...INTEGER_TYPES,
  'BIGNUM',
  'FLOAT',
  'DOUBLE',
  'VARCHAR',
  'JSON',
  'BLOB',
  'BIT',
  'UUID',
  'DATE',
  'TIME',
  'TIME_NS',
  'TIME WITH TIME ZONE',
  'TIMESTAMP',
  'TIMESTAMP_S',
  'TIMESTAMP_MS',
  'TIMESTAMP_NS',
  'TIMESTAMP WITH TIME ZONE',
  'INTERVAL',
  'NULL',
]);

const TYPE_SHOWN_MAX = 100;

/**
 * Parses the type of a column that is to be kept in a table.
 *
 * @throws DomainError `sql.invalid` when its values can't be kept without loss, or it is nested too deeply
 */
export function parseStorableType(text: string): DuckdbType {
  const type = tryParse(text);
  if (listsIn(type) > LISTS_MAX) throw refused(`with more than ${LISTS_MAX} lists within each other`);
  if (nestingOf(type) > NESTING_MAX) throw refused(`nested deeper than ${NESTING_MAX} levels`);
  checkScalars(type);
  checkRows(type);
  return type;
}

function tryParse(text: string): DuckdbType {
  try {
    return parseDuckdbType(text);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw refused(`of type ${text.slice(0, TYPE_SHOWN_MAX)}`, cause);
  }
}

function checkScalars(type: DuckdbType): void {
  if (type.kind === 'scalar' && !STORABLE.has(type.name)) throw refused(`of type ${type.name}`);
  for (const inner of innerTypes(type)) checkScalars(inner);
}

/** The type of a row, a STRUCT without names, can't be written in a cast; arrays and unions are made by casts. */
function checkRows(type: DuckdbType): void {
  if (!contains(type, isRow)) return;
  const isMadeByCast = (part: DuckdbType): boolean =>
    part.kind === 'array' || (part.kind === 'union' && part.members.length > 1 && contains(part, isRow));
  if (contains(type, isMadeByCast)) throw refused('with an ARRAY or a UNION and a STRUCT without names of its fields');
}

const isRow = (type: DuckdbType): boolean =>
  type.kind === 'struct' && type.fields.some(({ name }) => name === undefined);

function contains(type: DuckdbType, isIt: (type: DuckdbType) => boolean): boolean {
  return isIt(type) || innerTypes(type).some((inner) => contains(inner, isIt));
}

function refused(what: string, cause?: unknown): DomainError {
  const detail = `A column ${what} can't be kept in a table without loss; cast it, for example to JSON, VARCHAR or BLOB.`;
  return new DomainError('sql.invalid', detail, { cause });
}
