import type { DuckDBConnection } from '@duckdb/node-api';
import { DomainError } from '@millrace/domain';
import type { ConvertLimits, ConvertRequest } from '../../tasks/convert.task.js';
import { parseDuckdbType } from '../../types/duckdb-type.js';
import { LISTS_MAX, listsIn, nestingOf } from '../../types/type-nesting.js';
import { quoteIdentifier, quoteLiteral } from '../../types/sql-text.js';
import { isOutOfMemory, readDuckdbError } from '../duckdb-error.js';
import { toStorageFull } from '../storage-full.js';
import { readParquet } from '../table-view.js';
import { checkColumns } from './column-check.js';
import { applyPins } from './column-pins.js';
import { beyondLimit, conversionFailed } from './conversion-error.js';
import { exactCast, explainInexact } from './exact-cast.js';
import { checkDensity } from './parquet-density.js';
import type { SourceColumn, TableSource } from './table-source.js';

/** A Parquet file that someone uploaded: read like any foreign file, and written anew. */
export async function openParquet(
  connection: DuckDBConnection,
  path: string,
  { columns: pins }: ConvertRequest,
  limits: ConvertLimits,
): Promise<TableSource> {
  const from = readParquet([path]);
  const found = await describe(connection, from);
  checkColumns(found, limits);
  for (const { name, type } of found) {
    const tree = parseDuckdbType(type);
    if (nestingOf(tree) > limits.nestingMax) {
      throw beyondLimit(`Column "${name}" is nested deeper than ${limits.nestingMax} levels.`);
    }
    if (listsIn(tree) > LISTS_MAX) {
      throw beyondLimit(`Column "${name}" has more than ${LISTS_MAX} lists within each other.`);
    }
  }
  const warnings = await checkLeaves(connection, path);
  await checkDensity(connection, path, { columns: found, limits }).catch((error: unknown) => {
    throw explain(error, []);
  });
  const columns = applyPins(found, pins);
  const items = columns.map(({ name, type, isPinned }, index) =>
    isPinned
      ? `${exactCast({ value: quoteIdentifier(name), from: found[index]?.type ?? type, to: type, index })} AS ${quoteIdentifier(name)}`
      : quoteIdentifier(name),
  );
  return {
    columns,
    select: `SELECT ${items.join(', ')} FROM ${from}`,
    dialect: undefined,
    warnings,
    explain: (error) => Promise.resolve(explain(error, columns)),
    effortAfter: () => undefined,
  };
}

/**
 * What DuckDB 1.5.6 reads otherwise than it is written: a DECIMAL of more than 38 digits becomes a DOUBLE of another
 * value (-7 becomes -100663297), and an instant loses what is finer than a microsecond.
 *
 * @returns warnings
 * @throws DomainError `conversion.failed`
 */
async function checkLeaves(connection: DuckDBConnection, path: string): Promise<string[]> {
  const sql = `SELECT name, precision, scale, logical_type FROM parquet_schema(${quoteLiteral(path)})`;
  const reader = await connection.runAndReadAll(sql);
  return reader.getRows().flatMap(([name, precision, scale, logicalType]) => {
    if (Number(precision) > DECIMAL_DIGITS_MAX) {
      throw conversionFailed(
        `Column "${String(name)}" is a DECIMAL(${Number(precision)},${Number(scale)}); at most ${DECIMAL_DIGITS_MAX} digits can be read.`,
        { columnName: String(name) },
      );
    }
    if (!NANOSECOND_INSTANT.test(String(logicalType))) return [];
    return [`Column "${String(name)}" has instants in nanoseconds; what is finer than a microsecond is cut off.`];
  });
}

const DECIMAL_DIGITS_MAX = 38;
const NANOSECOND_INSTANT = /^TimestampType\(isAdjustedToUTC=1,.*NANOS=NanoSeconds/;

async function describe(connection: DuckDBConnection, from: string): Promise<{ name: string; type: string }[]> {
  try {
    const reader = await connection.runAndReadAll(`DESCRIBE FROM ${from}`);
    return reader.getRows().map(([name, type]) => ({ name: String(name), type: String(type) }));
  } catch (error) {
    throw explain(error, []);
  }
}

function explain(error: unknown, columns: readonly SourceColumn[]): unknown {
  const full = toStorageFull(error);
  if (full) return full;
  const duckdb = readDuckdbError(error);
  if (!duckdb || isOutOfMemory(duckdb) || duckdb.type === 'INTERRUPT' || error instanceof DomainError) return error;
  const inexact = explainInexact(error, columns);
  if (inexact) return inexact;
  // The name is the one of our copy, which means nothing to anybody.
  const reason = duckdb.message.replace(/\bfile ['"][^'"]*['"]/gi, 'the file').trim();
  return conversionFailed(`The Parquet file is damaged, or none: ${reason}.`, {}, error);
}
