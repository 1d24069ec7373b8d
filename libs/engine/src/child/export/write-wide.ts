import type { DuckDBConnection } from '@duckdb/node-api';
import type { NamedColumn } from '../../types/named-columns.js';
import { runLong } from '../long-statement.js';
import { selectColumns } from '../table-view.js';
import type { PipeWriter } from './pipe-writer.js';
import { RowTexts } from './row-texts.js';
import type { TextFormat } from './text-format.js';

/** They tell how long rows are. */
const FIRST_BATCH_ROWS = 16;
/** Of rows that are read at once. A statement over 1,000 columns takes a tenth of a second for one row as for many. */
const BATCH_BYTES = 32 * 1024 ** 2;

const BATCH_GROWTH_MAX = 4;

const COMMA = Buffer.from(',');

export interface WideTable {
  readonly files: readonly string[];
  /** The columns, as many as a statement can encode in each. */
  readonly parts: readonly (readonly NamedColumn[])[];
  /** Rows, at most. */
  readonly limit: number;
  readonly format: TextFormat;
}

/**
 * Writes a table that has too many columns for one statement: some rows at a time, and of those one part of the columns
 * after the other.
 *
 * @returns the number of rows
 */
export async function writeWide(table: WideTable, connection: DuckDBConnection, pipe: PipeWriter): Promise<number> {
  let offset = 0;
  let batchRows = FIRST_BATCH_ROWS;
  while (offset < table.limit) {
    const limit = Math.min(batchRows, table.limit - offset);
    const texts = await readTexts(table, connection, { offset, limit });
    const rowCount = texts[0]?.rowCount ?? 0;
    for (let row = 0; row < rowCount; row += 1) await pipe.write(lineOf(texts, row, table.format));
    offset += rowCount;
    if (rowCount < limit) break;
    const bytes = texts.reduce((sum, { byteLength }) => sum + byteLength, 0);
    // What comes next may be longer than what was there.
    const asLong = Math.floor((BATCH_BYTES * rowCount) / Math.max(1, bytes));
    batchRows = Math.max(1, Math.min(asLong, batchRows * BATCH_GROWTH_MAX));
  }
  await pipe.flush();
  return offset;
}

/** Of each part of the columns, one for each row. */
async function readTexts(
  { files, parts, format }: WideTable,
  connection: DuckDBConnection,
  { offset, limit }: { offset: number; limit: number },
): Promise<RowTexts[]> {
  const texts: RowTexts[] = [];
  for (const columns of parts) {
    const rows = `${selectColumns(files, columns)} LIMIT ${limit} OFFSET ${offset}`;
    const reader = await runLong(connection, format.selectTexts(columns, rows));
    texts.push(new RowTexts(reader.getRows().map(([text]) => String(text))));
  }
  if (texts.some(({ rowCount }) => rowCount !== texts[0]?.rowCount)) throw new Error('Some columns have more rows.');
  return texts;
}

function lineOf(texts: readonly RowTexts[], row: number, { line }: TextFormat): Buffer {
  const pieces: Buffer[] = [Buffer.from(line.open)];
  for (const [index, part] of texts.entries()) {
    const text = part.at(row);
    if (index > 0) pieces.push(COMMA);
    pieces.push(text.subarray(line.partBrackets, text.length - line.partBrackets));
  }
  return Buffer.concat([...pieces, Buffer.from(line.close)]);
}
