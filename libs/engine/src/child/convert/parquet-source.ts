import type { DuckDBConnection } from '@duckdb/node-api';
import { DomainError } from '@millrace/domain';
import type { ConvertLimits, ConvertRequest } from '../../tasks/convert.task.js';
import { parseDuckdbType } from '../../types/duckdb-type.js';
import { nestingOf } from '../../types/type-nesting.js';
import { quoteIdentifier, quoteLiteral } from '../../types/sql-text.js';
import { isOutOfMemory, readDuckdbError } from '../duckdb-error.js';
import { readParquet } from '../table-view.js';
import { applyPins } from './column-pins.js';
import { beyondLimit, conversionFailed } from './conversion-error.js';
import type { TableSource } from './table-source.js';

/** A Parquet file that someone uploaded: read like any foreign file, and written anew. */
export async function openParquet(
  connection: DuckDBConnection,
  path: string,
  { columns: pins }: ConvertRequest,
  limits: ConvertLimits,
): Promise<TableSource> {
  const from = readParquet([path]);
  const found = await describe(connection, from);
  checkColumnCount(found.length, limits);
  for (const { name, type } of found) {
    if (nestingOf(parseDuckdbType(type)) > limits.nestingMax) {
      throw beyondLimit(`Column "${name}" is nested deeper than ${limits.nestingMax} levels.`);
    }
  }
  const columns = applyPins(found, pins);
  const items = columns.map(({ name, type, isPinned }, index) => {
    const quoted = quoteIdentifier(name);
    return isPinned ? `${exactCast(name, type, found[index]?.type ?? type)} AS ${quoted}` : quoted;
  });
  return { columns, select: `SELECT ${items.join(', ')} FROM ${from}`, dialect: undefined, warnings: [], explain };
}

/** A cast that fails where it would change a value: a plain one rounds, and drops the time of a timestamp. */
function exactCast(name: string, type: string, from: string): string {
  const value = quoteIdentifier(name);
  const cast = `CAST(${value} AS ${type})`;
  const message = `concat('${INEXACT}', ${quoteLiteral(name)}, ': "', left(CAST(${value} AS VARCHAR), 200), '" is no ${type}')`;
  return `CASE WHEN CAST(${cast} AS ${from}) IS DISTINCT FROM ${value} THEN error(${message}) ELSE ${cast} END`;
}

/** Begins the message of a cast that would change a value. */
const INEXACT = 'inexact column ';

/** @throws DomainError `conversion.limit` */
export function checkColumnCount(count: number, { columnsMax }: ConvertLimits): void {
  if (count > columnsMax) throw beyondLimit(`The file has ${count} columns; at most ${columnsMax} are allowed.`);
}

async function describe(connection: DuckDBConnection, from: string): Promise<{ name: string; type: string }[]> {
  try {
    const reader = await connection.runAndReadAll(`DESCRIBE FROM ${from}`);
    return reader.getRows().map(([name, type]) => ({ name: String(name), type: String(type) }));
  } catch (error) {
    throw explain(error);
  }
}

function explain(error: unknown): unknown {
  const duckdb = readDuckdbError(error);
  if (!duckdb || isOutOfMemory(duckdb) || duckdb.type === 'INTERRUPT' || error instanceof DomainError) return error;
  const reason = duckdb.message.replace(/ (?:from |of |at end of )?file ['"][^'"]*['"]/g, '').trim();
  if (duckdb.type === 'Conversion')
    return conversionFailed(`A value does not fit the pinned type: ${reason}`, {}, error);
  return conversionFailed(`The Parquet file is damaged, or none: ${reason}.`, {}, error);
}
