import type { Column } from '@millrace/domain';
import type { ExportAnswer, ExportRequest } from '../../tasks/export.task.js';
import { uniqueColumnNames } from '../../types/column-names.js';
import { csvExpression } from '../../types/csv-encoding.js';
import { jsonRowExpression } from '../../types/json-encoding.js';
import { quoteIdentifier, quoteLiteral } from '../../types/sql-text.js';
import { runLong } from '../long-statement.js';
import { selectStored } from '../table-view.js';
import type { TaskContext } from '../task-context.js';

/** Everything spelled out: a name that ends in `.gz`, or a default of DuckDB, decides nothing. */
const CSV_OPTIONS = `FORMAT csv, HEADER false, DELIMITER ',', QUOTE '"', ESCAPE '"', NULLSTR ''`;
/**
 * Lines as they are. A JSON text has no control characters, so there is nothing to quote; and it is never empty, which
 * would be quoted as well.
 */
const LINE_OPTIONS = `FORMAT csv, HEADER false, DELIMITER '\u0001', QUOTE '\u0002', ESCAPE '\u0002', NULLSTR ''`;

/**
 * Writes stored files into the task's pipe, whose reader adds the header of a CSV file and the brackets of a JSON array:
 * there, the rows are `,<row>` line by line, and the first comma makes place for the bracket.
 */
export async function exportTable(request: ExportRequest, context: TaskContext): Promise<ExportAnswer> {
  switch (request.format) {
    case 'csv':
      return copyRows(request, context, { items: csvItems(request.columns), options: CSV_OPTIONS });
    case 'json':
      return copyRows(request, context, {
        items: `',' || ${jsonRow(request.columns, 'objects')}`,
        options: LINE_OPTIONS,
      });
    case 'arrays':
      return copyRows(request, context, {
        items: `',' || ${jsonRow(request.columns, 'arrays')}`,
        options: LINE_OPTIONS,
      });
    case 'ndjson':
      return copyRows(request, context, { items: jsonRow(request.columns, 'objects'), options: LINE_OPTIONS });
    case 'arrow': {
      // Only now: its libraries take a tenth of a second and 40 MB to load.
      const { writeArrow } = await import('./write-arrow.js');
      return writeArrow(request, context);
    }
  }
}

interface RowEncoding {
  /** What is selected from the restored columns: texts only. */
  readonly items: string;
  readonly options: string;
}

async function copyRows(
  { files, columns, limit }: ExportRequest,
  { connection, outputPath }: TaskContext,
  { items, options }: RowEncoding,
): Promise<ExportAnswer> {
  const rows = `${selectStored(files, columns)}${limit === undefined ? '' : ` LIMIT ${limit}`}`;
  const target = `${quoteLiteral(outputPath)} (${options}, COMPRESSION none, USE_TMP_FILE false)`;
  const reader = await runLong(connection, `COPY (SELECT ${items} FROM (${rows})) TO ${target}`);
  return { rowCount: Number(reader.getRows()[0]?.[0]) };
}

function csvItems(columns: readonly Column[]): string {
  const names = uniqueColumnNames(columns.map(({ name }) => name));
  const items = columns.map(({ type }, index) => csvExpression(type, quoteIdentifier(names[index] ?? '')));
  return items.join(', ') || 'NULL';
}

function jsonRow(columns: readonly Column[], format: 'arrays' | 'objects'): string {
  const names = uniqueColumnNames(columns.map(({ name }) => name));
  return jsonRowExpression(
    columns.map(({ type }, index) => ({ name: names[index] ?? '', type })),
    format,
  );
}
