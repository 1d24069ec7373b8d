import type { DatasetRepository, ListedTable } from '@millrace/catalog';
import type { Column, TenantId } from '@millrace/domain';
import type { InspectAnswer } from '@millrace/engine';

/** How an answer is to look: rows and bytes at most, and `objects` for rows with the names of their columns. */
export interface AnswerShape {
  readonly rowsMax: number;
  readonly answerBytesMax: number;
  readonly format: string;
}

interface Listing {
  readonly columns: readonly Column[];
  readonly rowOf: (table: ListedTable) => readonly unknown[];
}

/** The columns of DuckDB's own answers. */
const LISTINGS: Readonly<Record<'showTables' | 'showAllTables', Listing>> = {
  showTables: { columns: [column('name', 'VARCHAR')], rowOf: ({ name }) => [name] },
  showAllTables: {
    columns: [
      column('database', 'VARCHAR'),
      column('schema', 'VARCHAR'),
      column('name', 'VARCHAR'),
      column('column_names', 'VARCHAR[]'),
      column('column_types', 'VARCHAR[]'),
      column('temporary', 'BOOLEAN'),
    ],
    rowOf: ({ name, columns }) => [
      'datasets',
      'main',
      name,
      columns.map((each) => each.name),
      columns.map((each) => each.type),
      false,
    ],
  },
};

/** Answers SHOW TABLES from the catalog, as DuckDB would if it had the tables. */
export class TableList {
  constructor(private readonly datasets: Pick<DatasetRepository, 'listTables'>) {}

  async show(tenantId: TenantId, form: keyof typeof LISTINGS, shape: AnswerShape): Promise<InspectAnswer> {
    const startedAt = performance.now();
    const { columns, rowOf } = LISTINGS[form];
    const { tables, totalCount } = await this.datasets.listTables(tenantId, shape.rowsMax);
    const rows = withinBytes(
      tables.map((table) => rowText(columns, rowOf(table), shape)),
      shape.answerBytesMax,
    );
    return {
      columns,
      rowCount: totalCount,
      rowsJson: `[${rows.join(',')}]`,
      rowsReturned: rows.length,
      truncated: rows.length < totalCount,
      executionTimeMs: Math.round(performance.now() - startedAt),
    };
  }
}

function rowText(columns: readonly Column[], values: readonly unknown[], { format }: AnswerShape): string {
  if (format !== 'objects') return JSON.stringify(values);
  return JSON.stringify(Object.fromEntries(columns.map(({ name }, index) => [name, values[index]])));
}

function withinBytes(rows: readonly string[], bytesMax: number): readonly string[] {
  let bytes = 0;
  const end = rows.findIndex((row) => (bytes += Buffer.byteLength(row) + 1) > bytesMax);
  return end < 0 ? rows : rows.slice(0, end);
}

function column(name: string, type: string): Column {
  return { name, type, nullable: true };
}
