import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { ConvertLimits, ConvertRequest } from '../../tasks/convert.task.js';
import { parseDuckdbType } from '../../types/duckdb-type.js';
import { quoteIdentifier } from '../../types/sql-text.js';
import { type DuckdbError, isOutOfMemory, readDuckdbError } from '../duckdb-error.js';
import { toStorageFull } from '../storage-full.js';
import type { TaskContext } from '../task-context.js';
import { checkColumns } from './column-check.js';
import { applyPins } from './column-pins.js';
import { beyondLimit, conversionFailed } from './conversion-error.js';
import { readHead } from './decompress.js';
import { keptAsText, roundedToDouble, widenIntegers } from './exact-numbers.js';
import { findInexact } from './inexact-values.js';
import { keepNestedNumbers } from './json-nested-numbers.js';
import { quoteNumbers } from './json-numbers.js';
import { JsonOutline } from './json-outline.js';
import { detectJson, hasRenamedKeys, type JsonText, jsonText, readWithTypes } from './json-reading.js';
import { lineOfRecord } from './json-records.js';
import { findTimes, narrowIntegers, type JsonReading } from './json-types.js';
import type { SourceColumn, TableSource } from './table-source.js';

/** The copy for pinned columns, in the scratch folder. */
export const QUOTED_FILE = 'quoted.json';

export interface JsonFile {
  readonly path: string;
  readonly request: ConvertRequest;
  readonly limits: ConvertLimits;
  /** Of the whole text. */
  readonly outline: JsonOutline;
}

/**
 * JSON: one value for each line, or one array. The structure comes from the whole file, because a key that only
 * occurs behind a sample would be left out without a word.
 */
export async function openJson(
  { connection, scratchDir, signal }: TaskContext,
  { path, request, limits, outline }: JsonFile,
): Promise<TableSource> {
  const said = jsonText(path, request, limits);
  const isOneList = said.layout === 'auto' ? outline.isOneList : said.layout === 'array';
  const text = (await hasMark(path)) ? { ...said, layout: markedLayout(said, isOneList) } : said;
  const explain = (error: unknown): Promise<unknown> => explainJson(error, { path, isOneList });
  const { from, found } = await detectJson(connection, { ...text, sampleRows: -1 }).catch(async (error: unknown) => {
    throw await explain(error);
  });
  checkColumns(found, limits);
  const columns = applyPins(found, pinsOf(found, request));
  const pinned = columns.filter(({ isPinned }) => isPinned);
  // Types can be named only when the names are the keys of the file: equal but for their case, DuckDB renames them.
  if (hasRenamedKeys(found)) {
    if (pinned.length === 0 && text.depthMax === undefined)
      return sourceOf(columns, {
        from,
        warnings: [RENAMED, ...rounding(outline), ...unrefined(columns, outline)],
        explain,
      });
    throw conversionFailed(
      'Types can be neither pinned nor bounded by "depth_max" in a file whose keys are equal but for their case.',
    );
  }
  const quoted = pinned.filter(({ type }) => type !== 'JSON').map(({ name }) => name);
  const isCopied = quoted.length > 0;
  const copy = isCopied ? join(scratchDir, QUOTED_FILE) : path;
  // Of the copy, whose pinned numbers are texts: they lose nothing.
  const numbers = isCopied ? new JsonOutline(limits.nestingMax) : outline;
  if (isCopied) {
    await quoteNumbers({ source: path, target: copy, names: new Set(quoted), observer: numbers, signal });
    numbers.finish();
  }
  const lineOf = (row: number): Promise<number | undefined> => lineOfRecord(path, { number: row, isOneList });
  const reading: TextReading = { withTypes: (typed) => readWithTypes({ ...text, path: copy }, typed), lineOf, numbers };
  const refined = await refine(connection, columns, reading).catch(async (error: unknown) => {
    throw await explain(error);
  });
  const isNamed = isCopied || text.depthMax !== undefined;
  const isChanged = isNamed || refined.columns.some(({ type }, index) => type !== found[index]?.type);
  return sourceOf(refined.columns, {
    from: isChanged ? reading.withTypes(refined.columns) : from,
    warnings: [...refined.warnings, ...rounding(numbers)],
    explain,
  });
}

const BYTE_ORDER_MARK = Buffer.from('\ufeff');

async function hasMark(path: string): Promise<boolean> {
  return (await readHead(path, BYTE_ORDER_MARK.length)).equals(BYTE_ORDER_MARK);
}

/** Behind a byte order mark the reader takes a list for one record, and refuses lines, unless it is told how to read. */
function markedLayout({ layout }: JsonText, isOneList: boolean): JsonText['layout'] {
  if (isOneList) return 'array';
  return layout === 'lines' ? 'unstructured' : layout;
}

/** Where objects become columns, pins may be for those: whoever makes them looks at all pins. */
function pinsOf(found: readonly { name: string; type: string }[], { options, columns }: ConvertRequest): Pins {
  if (options?.nested !== 'flatten' || columns === undefined) return columns;
  const whole = new Set(found.filter(({ type }) => !isObject(type)).map(({ name }) => name.toLowerCase()));
  return Object.fromEntries(Object.entries(columns).filter(([name]) => whole.has(name.toLowerCase())));
}

type Pins = ConvertRequest['columns'];

const isObject = (type: string): boolean => parseDuckdbType(type).kind === 'struct';

const RENAMED = 'Keys that are empty, or equal to another but for their case, got other names.';

interface TextReading extends JsonReading {
  /** The line in the file of a row, from 1. */
  readonly lineOf: (row: number) => Promise<number | undefined>;
  readonly numbers: JsonOutline;
}

function sourceOf(
  columns: readonly SourceColumn[],
  { from, ...rest }: { from: string } & Pick<TableSource, 'warnings' | 'explain'>,
): TableSource {
  const names = columns.map(({ name }) => quoteIdentifier(name)).join(', ');
  return { columns, select: `SELECT ${names} FROM ${from}`, dialect: undefined, effortAfter: () => undefined, ...rest };
}

function rounding({ roundedLine }: JsonOutline): string[] {
  if (roundedLine === undefined) return [];
  return [`Line ${roundedLine} has a number of more than 17 digits, which is rounded unless its column is pinned.`];
}

/** Columns whose types can not be named are read with the types the reader guesses. */
function unrefined(columns: readonly SourceColumn[], { largeLine }: JsonOutline): string[] {
  if (largeLine === undefined || !columns.some(({ type }) => type.includes('DOUBLE'))) return [];
  return [
    `Line ${largeLine} has a number that a DOUBLE may not hold. It is kept as it is when no two keys are equal but for their case.`,
  ];
}

/** Types that lose less than those the reader guesses. Numbers are looked at again only when some need it. */
async function refine(
  connection: DuckDBConnection,
  columns: readonly SourceColumn[],
  reading: TextReading,
): Promise<{ columns: readonly SourceColumn[]; warnings: string[] }> {
  const hasLarge = reading.numbers.largeLine !== undefined;
  const narrowed = await narrowIntegers(connection, columns, reading);
  const widened = hasLarge ? await widenColumns(connection, narrowed, reading) : narrowed;
  const timed = await findTimes(connection, widened, reading);
  const doubtful = timed.filter(({ type, isPinned }) =>
    isPinned ? type !== 'JSON' : type === 'TIME' || (type === 'DOUBLE' && hasLarge),
  );
  const { changed, rounded } = await findInexact(connection, doubtful, {
    from: reading.withTypes(doubtful.map(({ name }) => ({ name, type: 'VARCHAR' }))),
    hasDecimalComma: false,
    thousands: undefined,
    dateFormat: undefined,
    timestampFormat: undefined,
    refusesAll: true,
    lineOf: reading.lineOf,
  });
  const exact = timed.map((column) => (changed.has(column.name) ? { ...column, type: 'VARCHAR' } : column));
  // A nested type may have been narrowed beside its texts.
  const becameText = exact.filter(({ type }, index) => textsIn(type) > textsIn(columns[index]?.type ?? ''));
  return {
    columns: exact,
    warnings: [...[...rounded].map(roundedToDouble), ...becameText.map(({ name }) => keptAsText(name))],
  };
}

const textsIn = (type: string): number => type.split('VARCHAR').length;

async function widenColumns(
  connection: DuckDBConnection,
  columns: readonly SourceColumn[],
  reading: JsonReading,
): Promise<readonly SourceColumn[]> {
  const widened = await widenIntegers(connection, columns, {
    textFrom: (names) => reading.withTypes(names.map((name) => ({ name, type: 'VARCHAR' }))),
    sampleRows: undefined,
  });
  return keepNestedNumbers(connection, widened, reading);
}

/** A text, and whether its records are the elements of one list. */
interface JsonPlaces {
  readonly path: string;
  readonly isOneList: boolean;
}

async function explainJson(error: unknown, file: JsonPlaces): Promise<unknown> {
  const full = toStorageFull(error);
  if (full) return full;
  const duckdb = readDuckdbError(error);
  if (!duckdb || isOutOfMemory(duckdb) || duckdb.type === 'INTERRUPT') return error;
  if (/maximum_object_size/.test(duckdb.message))
    return beyondLimit('A JSON value is longer than the limit for one line.');
  const line = await lineOf(duckdb, file);
  const reason = duckdb.message
    .replace(/[\s,]*\btry (?:increasing|setting|auto-detecting|ignore_errors)[^]*$/i, '')
    .replace(/^[^]*? in file "[^"]*",?\s*/, '')
    .replace(/^(?:at byte \d+ )?in (?:line|record\/value) \d+:\s*/, '')
    .trim();
  return conversionFailed(
    `The JSON can not be read: ${reason}`,
    {
      line,
      columnName: /has duplicate key "([^"]*)"/.exec(reason)?.[1],
      text: /'([^']*)'|"([^"]*)"/.exec(reason)?.[1],
    },
    error,
  );
}

/**
 * DuckDB counts lines where each holds a value, and values elsewhere. It is one too far for malformed text, which it has
 * begun to read beyond.
 */
async function lineOf({ message }: DuckdbError, { path, isOneList }: JsonPlaces): Promise<number | undefined> {
  const [, unit, count] = /\bin (line|record\/value) (\d+)/.exec(message) ?? [];
  if (count === undefined) return undefined;
  const number = Math.max(1, Number(count) - (message.startsWith('Malformed JSON') ? 1 : 0));
  return unit === 'line' ? number : lineOfRecord(path, { number, isOneList, orLast: true });
}
