import type { DuckDBConnection } from '@duckdb/node-api';
import type { NamedColumn } from '../../types/named-columns.js';
import { quoteIdentifier } from '../../types/sql-text.js';
import { isText } from '../../types/text-bytes.js';
import { runLong } from '../long-statement.js';
import { selectColumns } from '../table-view.js';
import type { PipeWriter } from './pipe-writer.js';
import type { TextFormat } from './text-format.js';

/** Of a text that is encoded at once. */
const SLICE_CHARACTERS = 2 * 1024 ** 2;

export interface LongRow {
  readonly files: readonly string[];
  readonly columns: readonly NamedColumn[];
  /** Which row it is, from 0. */
  readonly offset: number;
  readonly format: TextFormat;
}

/** Writes one row that is too long for one statement: a column after the other, and a long text slice by slice. */
export async function writeLongRow(row: LongRow, connection: DuckDBConnection, pipe: PipeWriter): Promise<void> {
  const { open, close } = row.format.line;
  await pipe.write(Buffer.from(open));
  for (const [index, column] of row.columns.entries()) {
    if (index > 0) await pipe.write(Buffer.from(','));
    await writeField(row, column, { connection, pipe });
  }
  await pipe.write(Buffer.from(close));
  await pipe.flush();
}

interface Ways {
  readonly connection: DuckDBConnection;
  readonly pipe: PipeWriter;
}

async function writeField(row: LongRow, column: NamedColumn, { connection, pipe }: Ways): Promise<void> {
  const { format } = row;
  const rows = `${selectColumns(row.files, [column])} LIMIT 1 OFFSET ${row.offset}`;
  const read = async (sql: string): Promise<unknown> => (await runLong(connection, sql)).getRows()[0]?.[0];
  const value = quoteIdentifier(column.name);
  const length = isText(column.type) ? Number((await read(`SELECT length(${value}) FROM (${rows})`)) ?? 0) : 0;
  if (length <= SLICE_CHARACTERS) {
    const text = Buffer.from(String(await read(format.selectTexts([column], rows))));
    return pipe.write(text.subarray(format.line.partBrackets, text.length - format.line.partBrackets));
  }
  const quote = String(await read(`SELECT ${format.longText.quote(value)} FROM (${rows})`));
  await pipe.write(Buffer.from(format.longText.key(column.name) + quote));
  for (let start = 1; start <= length; start += SLICE_CHARACTERS) {
    const slice = `substring(CAST(${value} AS VARCHAR), ${start}, ${SLICE_CHARACTERS})`;
    await pipe.write(Buffer.from(String(await read(`SELECT ${format.longText.slice(slice)} FROM (${rows})`))));
  }
  await pipe.write(Buffer.from(quote));
}
