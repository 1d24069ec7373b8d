import { INTEGER_TYPES } from '../../types/integer-types.js';
import { quoteIdentifier, quoteLiteral } from '../../types/sql-text.js';
import { readDuckdbError } from '../duckdb-error.js';
import { type Effort, EFFORTS } from './effort.js';
import { castOf, changedCondition, roundedCondition, type TextRules } from './exactness.js';
import type { SourceColumn } from './table-source.js';

/** An expression holds a chunk of rows for each of its steps: many columns need more memory than a reader with types. */
const COLUMNS_MAX = 200;

const INTEGERS: ReadonlySet<string> = new Set(INTEGER_TYPES);
const FLOATS: ReadonlySet<string> = new Set(['FLOAT', 'DOUBLE']);
/** Types that a cast reads as the CSV reader does. */
const CASTABLE: ReadonlySet<string> = new Set([
  ...INTEGERS,
  ...FLOATS,
  'VARCHAR',
  'BOOLEAN',
  'DATE',
  'TIME',
  'TIMESTAMP',
  'TIMESTAMP WITH TIME ZONE',
]);

/** A time to the second: there is no place for an offset or a fraction. */
const SECONDS_TIMESTAMP = '____-__-_____:__:__';

/** Begins the message of a cast that would change a value; the effort that is needed then follows. */
const MARK = 'exact-cast:';

/** What makes `strptime` give an instant, or nanoseconds: from there to the type of the column is another way. */
const OTHER_TYPE_FORMAT = /%-?[zZn]/;

/** Whether `castExactly` does what the reader would do with types, in about the same memory. */
export function canCastExactly(columns: readonly SourceColumn[], rules: TextRules): boolean {
  const isCastable = (column: SourceColumn): boolean =>
    CASTABLE.has(column.type) && !OTHER_TYPE_FORMAT.test(formatOf(column, rules) ?? '');
  return (
    !rules.hasDecimalComma &&
    rules.thousands === undefined &&
    columns.length <= COLUMNS_MAX &&
    columns.every(isCastable)
  );
}

/**
 * A SELECT of a table of texts as the types of their columns that fails at the first value that a type would change: one
 * pass reads and proves. What a cast gives tells most values from those that have to be looked at, for much less than a pattern.
 */
export function castExactly(columns: readonly SourceColumn[], from: string, rules: TextRules): string {
  const inner = columns.flatMap((column, index) => {
    const text = `${quoteIdentifier(column.name)} AS t${index}`;
    return isKept(column) ? [text] : [text, `${valueOf(column, rules)} AS v${index}`];
  });
  const items = columns.map((column, index) => {
    const item = isKept(column) ? `t${index}` : exactItem(column, index, rules);
    return `${item} AS ${quoteIdentifier(column.name)}`;
  });
  return `SELECT ${items.join(', ')} FROM (SELECT ${inner.join(', ')} FROM ${from})`;
}

/** The effort that is needed after an error of such a SELECT; undefined when a value was not the reason. */
export function effortAfter(error: unknown): Effort | undefined {
  const message = readDuckdbError(error)?.message ?? '';
  return message.startsWith(MARK) ? EFFORTS.find((effort) => message === MARK + effort) : undefined;
}

const isKept = ({ type }: SourceColumn): boolean => type === 'VARCHAR';

/** As the reader does it, which keeps formats for types without a zone. */
function valueOf(column: SourceColumn, rules: TextRules): string {
  const format = formatOf(column, rules);
  if (format === undefined) return castOf(column, rules);
  return `CAST(try_strptime(${quoteIdentifier(column.name)}, ${quoteLiteral(format)}) AS ${column.type})`;
}

/** CASE asks a question only of the rows that are left. */
function exactItem(column: SourceColumn, index: number, rules: TextRules): string {
  const [text, value] = [`t${index}`, `v${index}`];
  const texts = { ...column, name: text };
  const rounded = roundedCondition(texts, rules);
  // A format takes nothing that it does not keep.
  const changed = formatOf(column, rules) === undefined ? changedCondition(texts, rules) : undefined;
  // Of a pinned column the line is told, which takes a pass of its own to find.
  const fails = (effort: Effort): string => `error('${MARK}${effort}')`;
  return [
    `CASE WHEN ${plainCondition(column, { text, value, rules, mayRound: rounded !== undefined })} THEN ${value}`,
    `WHEN ${text} IS NULL THEN NULL`,
    `WHEN ${value} IS NULL${changed === undefined ? '' : ` OR ${changed}`} THEN ${fails(column.isPinned ? 'sampled' : 'whole')}`,
    ...(rounded === undefined ? [] : [`WHEN ${rounded} THEN ${fails('sampled')}`]),
    `ELSE ${value} END`,
  ].join(' ');
}

/**
 * Holds for most values of a file, and for none that its type changes. A number below 1e15 in 18 bytes has no more than 15
 * digits, or a point among at most 17, or an exponent after less; the bounds are where nothing is infinite or zero instead.
 */
function plainCondition(
  column: SourceColumn,
  { text, value, rules, mayRound }: { text: string; value: string; rules: TextRules; mayRound: boolean },
): string {
  const { type } = column;
  if (INTEGERS.has(type)) return `CAST(${value} AS VARCHAR) = ${text}`;
  if (FLOATS.has(type)) return `abs(${value}) BETWEEN 1e-30 AND 1e15${mayRound ? ` AND strlen(${text}) <= 18` : ''}`;
  if (type === 'BOOLEAN') return `(${text} = 'true' OR ${text} = 'false')`;
  if (formatOf(column, rules) !== undefined) return `${value} IS NOT NULL`;
  if (type === 'TIMESTAMP') return `${value} IS NOT NULL AND ${text} LIKE '${SECONDS_TIMESTAMP}'`;
  if (type === 'TIMESTAMP WITH TIME ZONE') return `${value} IS NOT NULL AND NOT contains(${text}, '.')`;
  return 'false';
}

/** By which the texts of a column are read, if any. */
function formatOf({ type }: SourceColumn, { dateFormat, timestampFormat }: TextRules): string | undefined {
  if (type === 'DATE') return dateFormat;
  return type === 'TIMESTAMP' ? timestampFormat : undefined;
}
