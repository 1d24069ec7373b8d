import type { DuckDBConnection } from '@duckdb/node-api';
import type { ConvertLimits, ConvertRequest } from '../../tasks/convert.task.js';
import { quoteIdentifier, quoteLiteral } from '../../types/sql-text.js';
import { type DuckdbError, isOutOfMemory, readDuckdbError } from '../duckdb-error.js';
import { applyPins } from './column-pins.js';
import { beyondLimit, conversionFailed } from './conversion-error.js';
import { refineDoubles } from './exact-numbers.js';
import { keepZones, narrowIntegers, type JsonReading } from './json-types.js';
import { checkColumnCount } from './parquet-source.js';
import type { SourceColumn, TableSource } from './table-source.js';

/**
 * JSON: one value for each line, or one array. The structure comes from the whole file, because a key that only
 * occurs behind a sample would be left out without a word.
 */
export async function openJson(
  connection: DuckDBConnection,
  path: string,
  { columns: pins }: ConvertRequest,
  limits: ConvertLimits,
): Promise<TableSource> {
  const detected = `read_json(${quoteLiteral(path)}, sample_size = -1, ${commonOptions(limits)})`;
  const found = await describe(connection, detected);
  checkColumnCount(found.length, limits);
  const columns = applyPins(found, pins);
  const withTypes = (typed: readonly { name: string; type: string }[]): string =>
    `read_json(${quoteLiteral(path)}, columns = {${typed.map(({ name, type }) => `${quoteLiteral(name)}: ${quoteLiteral(type)}`).join(', ')}}, ${commonOptions(limits)})`;
  // Types can be named only when the names are the keys of the file: equal but for their case, DuckDB renames them.
  const canName = !hasRenamedKeys(found);
  if (columns.some(({ isPinned }) => isPinned) && !canName) {
    throw conversionFailed('Types can not be pinned in a file whose keys are equal but for their case.');
  }
  const refined = canName ? await refine(connection, columns, { withTypes }) : { columns, warnings: [] };
  const isChanged = refined.columns.some(({ type }, index) => type !== found[index]?.type);
  const names = refined.columns.map(({ name }) => quoteIdentifier(name)).join(', ');
  return {
    columns: refined.columns,
    select: `SELECT ${names} FROM ${isChanged ? withTypes(refined.columns) : detected}`,
    dialect: undefined,
    warnings: refined.warnings,
    explain: (error) => Promise.resolve(explain(error, refined.columns)),
  };
}

/** Types that lose less than those the reader guesses. */
async function refine(
  connection: DuckDBConnection,
  columns: readonly SourceColumn[],
  reading: JsonReading,
): Promise<{ columns: readonly SourceColumn[]; warnings: string[] }> {
  const narrowed = await narrowIntegers(connection, columns, reading);
  const exact = await refineDoubles(connection, narrowed, {
    textFrom: (names) => reading.withTypes(names.map((name) => ({ name, type: 'JSON' }))),
    sampleRows: undefined,
  });
  return { columns: await keepZones(connection, exact.columns, reading), warnings: exact.warnings };
}

function commonOptions({ lineBytesMax }: ConvertLimits): string {
  return `maximum_object_size = ${lineBytesMax}, ignore_errors = false, hive_partitioning = false`;
}

async function describe(connection: DuckDBConnection, from: string): Promise<{ name: string; type: string }[]> {
  try {
    const reader = await connection.runAndReadAll(`DESCRIBE FROM ${from}`);
    return reader.getRows().map(([name, type]) => ({ name: String(name), type: String(type) }));
  } catch (error) {
    throw explain(error, []);
  }
}

function hasRenamedKeys(columns: readonly { name: string }[]): boolean {
  const names = new Set(columns.map(({ name }) => name.toLowerCase()));
  return columns.some(({ name }) => {
    const base = /^(.*)_\d+$/s.exec(name)?.[1];
    return name === 'C0' || (base !== undefined && names.has(base.toLowerCase()));
  });
}

function explain(error: unknown, columns: readonly SourceColumn[]): unknown {
  const duckdb = readDuckdbError(error);
  if (!duckdb || isOutOfMemory(duckdb) || duckdb.type === 'INTERRUPT') return error;
  if (/maximum_object_size/.test(duckdb.message))
    return beyondLimit('A JSON value is longer than the limit for one line.');
  const line = lineOf(duckdb);
  const reason = duckdb.message
    .replace(/\n?Try increasing[^]*$/, '')
    .replace(/^[^]*? in file "[^"]*",?\s*/, '')
    .replace(/^at byte \d+ in line \d+: /, '')
    .trim();
  const columnName = columns.find(({ name }) => reason.includes(`"${name}"`))?.name;
  return conversionFailed(
    `The JSON can not be read: ${reason}`,
    { line, columnName, text: /'([^']*)'|"([^"]*)"/.exec(reason)?.[1] },
    error,
  );
}

/** Where DuckDB counts lines; it is one too far for malformed text, which it has begun to read beyond. */
function lineOf({ message }: DuckdbError): number | undefined {
  const line = /\bin line (\d+)/.exec(message)?.[1];
  if (line === undefined) return undefined;
  return Math.max(1, Number(line) - (message.startsWith('Malformed JSON') ? 1 : 0));
}
