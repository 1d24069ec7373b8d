import { parseDuckdbType } from '../../types/duckdb-type.js';
import { INTEGER_TYPES } from '../../types/integer-types.js';
import { quoteIdentifier, quoteLiteral } from '../../types/sql-text.js';
import type { SourceColumn } from './table-source.js';

const INTEGERS: ReadonlySet<string> = new Set(INTEGER_TYPES);

/** A double written and read again needs at most 17 digits; more than that are lost. */
const DOUBLE_DIGITS = 17;

/** How texts are read as values. */
export interface TextRules {
  /** Whether numbers have a decimal comma. */
  readonly hasDecimalComma: boolean;
  /** What stands between groups of three digits of a number, if anything may. */
  readonly thousands: string | undefined;
  /** How dates are read, which takes nothing beyond it; undefined: as they come. */
  readonly dateFormat: string | undefined;
  readonly timestampFormat: string | undefined;
}

/** The text of a column as its type, NULL where it is none. */
export const castOf = (column: SourceColumn, rules: TextRules): string =>
  `TRY_CAST(${numberOf(column, rules)} AS ${column.type})`;

/**
 * Holds for a text that means more than the type of its column; undefined for a type that keeps every text that it takes.
 * The readers change such values without a word: measured on DuckDB 1.5.6, BIGINT takes "2.5" as 3 and "007" as 7, DATE
 * drops a time, TIME and TIMESTAMP drop an offset and digits behind the microsecond, DECIMAL rounds, DOUBLE takes "1e400"
 * as infinite.
 */
export function changedCondition(column: SourceColumn, rules: TextRules): string | undefined {
  const { name, type, isPinned } = column;
  const text = quoteIdentifier(name);
  const number = numberOf(column, rules);
  const tree = parseDuckdbType(type);
  if (tree.kind === 'decimal') return roundsDecimal(number, tree);
  if (INTEGERS.has(type)) {
    // A leading zero or plus is part of a code; whoever pins a number does not want it.
    // Of a number without its separators, where it may have some.
    const digits = isPinned ? '[+-]?[0-9]+' : '-?(0|[1-9][0-9]*)';
    return `NOT regexp_full_match(${rules.thousands === undefined ? text : number}, '\\s*${digits}\\s*')`;
  }
  switch (type) {
    case 'DOUBLE':
    case 'FLOAT':
      // Nothing shorter and without an exponent is beyond a FLOAT; most numbers are not looked at any closer.
      return `CASE WHEN strlen(${number}) > 30 OR ${hasExponent(number)} THEN ${isBeyond(number, type)} ELSE false END`;
    case 'BOOLEAN':
      // What a sample of truths did not have: whoever pins a BOOLEAN means 0, 1, yes and no, too.
      return isPinned ? undefined : `lower(trim(${text})) NOT IN ('true', 'false', 't', 'f')`;
    case 'DATE':
      if (rules.dateFormat === undefined) return `contains(${text}, ':')`;
      return isPinned ? undefined : isNot(text, rules.dateFormat);
    case 'TIME':
      return `(contains(${text}, '+') OR contains(${text}, '-') OR length(trim(${text})) > 15)`;
    case 'TIME WITH TIME ZONE':
    case 'TIMESTAMP WITH TIME ZONE':
      return isFinerThan(text, 6);
    case 'TIMESTAMP_S':
      return `(${hasOffset(text)} OR ${isFinerThan(text, 0)})`;
    case 'TIMESTAMP_MS':
      return `(${hasOffset(text)} OR ${isFinerThan(text, 3)})`;
    case 'TIMESTAMP_NS':
      return `(${hasOffset(text)} OR ${isFinerThan(text, 9)})`;
    case 'TIMESTAMP':
      if (rules.timestampFormat === undefined)
        return `CASE WHEN ${isPlainTimestamp(text)} THEN false ELSE ${hasOffset(text)} OR ${isFinerThan(text, 6)} END`;
      return isPinned ? undefined : isNot(text, rules.timestampFormat);
    default:
      return undefined;
  }
}

/** Too large to be finite, or too small not to be zero. */
function isBeyond(number: string, type: string): string {
  const value = `TRY_CAST(${number} AS ${type})`;
  return `(isinf(${value}) OR (${value} = 0 AND regexp_matches(split_part(lower(${number}), 'e', 1), '[1-9]')))`;
}

const isNot = (text: string, format: string): string =>
  `${text} IS NOT NULL AND try_strptime(${text}, ${quoteLiteral(format)}) IS NULL`;

const hasOffset = (text: string): string => `contains(substr(${text}, 12), '+') OR contains(substr(${text}, 12), '-')`;

/** As most timestamps are written: one look instead of three. */
const isPlainTimestamp = (text: string): string =>
  `regexp_full_match(${text}, '[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,6})?')`;

/** Whether a time has more digits behind its second than a type keeps. */
const isFinerThan = (text: string, digits: number): string =>
  `regexp_matches(${text}, ':[0-9]{2}\\.[0-9]{${digits}}[0-9]*[1-9]')`;

/** With an exponent the digits behind the point say nothing: the value is compared, of as many digits as a DOUBLE compares. */
function roundsDecimal(number: string, { scale, text: type }: { scale: number; text: string }): string {
  const fraction = `(contains(${number}, '.') AND length(rtrim(${number}, '0 ')) - instr(${number}, '.') > ${scale})`;
  const isLong = `regexp_matches(${number}, '([0-9][.]?){16}')`;
  const differs = `CAST(TRY_CAST(${number} AS ${type}) AS DOUBLE) IS DISTINCT FROM TRY_CAST(${number} AS DOUBLE)`;
  return `CASE WHEN regexp_matches(${number}, '[eE]') THEN ${isLong} OR ${differs} ELSE ${fraction} END`;
}

/**
 * Whoever pins a DOUBLE knows that it rounds. Every number of a file comes by here: the cheap questions come first, and
 * CASE asks the others of the rows that are left only, which OR does not.
 */
export function roundedCondition(column: SourceColumn, rules: TextRules): string | undefined {
  if (column.type !== 'DOUBLE' || column.isPinned) return undefined;
  const number = numberOf(column, rules);
  const isLost = `TRY_CAST(${number} AS HUGEINT) IS DISTINCT FROM TRY_CAST(TRY_CAST(${number} AS DOUBLE) AS HUGEINT)`;
  const isShortInteger = `regexp_full_match(${number}, '\\s*[+-]?[0-9]{1,${DOUBLE_DIGITS}}\\s*')`;
  return `CASE WHEN strlen(${number}) <= 15 OR (strlen(${number}) <= ${DOUBLE_DIGITS + 1} AND contains(${number}, '.')) THEN false
    WHEN ${hasLostDigits(number)} THEN true WHEN ${isShortInteger} THEN ${isLost} ELSE false END`;
}

/**
 * Whether a number has more digits that count than a DOUBLE: from the first that is no zero to the last. From the start
 * of the text, where one way is left at each byte: a search for it takes ten times as long.
 */
const hasLostDigits = (number: string): string =>
  `regexp_matches(${number}, '^\\s*[+-]?[0._]*[1-9]([._]?[0-9]){${DOUBLE_DIGITS - 1},}[._]?[1-9]')`;

/** Without `lower`, which makes a text of each. */
const hasExponent = (number: string): string => `contains(${number}, 'e') OR contains(${number}, 'E')`;

function numberOf({ name }: SourceColumn, rules: TextRules): string {
  const { hasDecimalComma, thousands } = rules;
  const text = quoteIdentifier(name);
  const plain = (number: string): string => (hasDecimalComma ? `replace(${number}, ',', '.')` : number);
  if (thousands === undefined) return plain(text);
  const separator = quoteLiteral(thousands);
  // What has separators elsewhere is no number.
  const isGrouped = `regexp_full_match(${text}, ${quoteLiteral(groupedNumber(rules))})`;
  const joined = plain(`replace(${text}, ${separator}, '')`);
  return `CASE WHEN NOT contains(${text}, ${separator}) THEN ${plain(text)} WHEN ${isGrouped} THEN ${joined} END`;
}

/** A pattern for numbers, with separators between all of their thousands or none. */
export function groupedNumber({ thousands = '', hasDecimalComma }: TextRules, { isInteger = false } = {}): string {
  const digits = `([0-9]{1,3}([${thousands}][0-9]{3})+|[0-9]+)`;
  const fraction = isInteger ? '' : `([${hasDecimalComma ? ',' : '.'}][0-9]+)?([eE][+-]?[0-9]+)?`;
  return `\\s*[+-]?${digits}${fraction}\\s*`;
}

/**
 * Whether the values of a column are cast from their texts and not read by the reader, which knows nothing of separators
 * between thousands and so refuses nothing either.
 */
export function isCastFromText({ type }: SourceColumn, { thousands }: TextRules): boolean {
  return thousands !== undefined && (INTEGERS.has(type) || /^(FLOAT|DOUBLE|DECIMAL)/.test(type));
}
