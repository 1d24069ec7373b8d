import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { expect } from '@jest/globals';
import { selectStored } from '../src/child/table-view.js';
import type { QueryResult } from '../src/tasks/query.task.js';
import type { TableInput } from '../src/tasks/table-input.js';
import type { ExportFormat } from '../src/tasks/export.task.js';
import { arrowTable } from './arrow-rows.js';
import { csvRows, csvValue, TEXT_FORMATS } from './exported-rows.js';
import { PoolFixture } from './pool-fixture.js';
import { RawDuckdb, type RawTable } from './raw-duckdb.js';
import { isSameValue } from './same-value.js';

const LIMITS = { rowsMax: 10_000, answerBytesMax: 64 * 1024 ** 2, deadlineMs: 50_000 };
const DIFFERENCES_SHOWN_MAX = 3;

/** A result and what it has to be. */
interface Kept {
  readonly result: QueryResult;
  readonly expected: RawTable;
}

/** All ways on which values leave an engine, each compared with what DuckDB itself says of the same statement. */
export class ValueRoutes {
  private constructor(
    readonly fixture: PoolFixture,
    readonly raw: RawDuckdb,
  ) {}

  static async open(): Promise<ValueRoutes> {
    return new ValueRoutes(await PoolFixture.open(), await RawDuckdb.open());
  }

  /** Runs the statement and follows its result: the answer, a page, a result of the result, and every format. */
  async expectSame(sql: string): Promise<void> {
    const kept = await this.followed(sql);
    await this.expectTexts(kept);
    await rm(kept.result.filePath);
  }

  /**
   * As `expectSame`, but for the formats that are text: they have nested values in the encoding of a page, so that what
   * DuckDB takes long to plan need not be planned for each.
   */
  async expectKept(sql: string): Promise<void> {
    const { result } = await this.followed(sql);
    await rm(result.filePath);
  }

  /** As `expectSame`, but for the formats that are text only. */
  async expectFormats(sql: string): Promise<void> {
    const expected = await this.raw.table(sql);
    const result = await this.fixture.query(sql, { ...LIMITS, rowsMax: 1 });
    await this.expectTexts({ result, expected });
    await rm(result.filePath);
  }

  /** As `expectSame`, for what DuckDB's client, or its own cast to text, can't tell: the rows are given. */
  async expectRows(sql: string, rows: Cells): Promise<void> {
    const first = await this.fixture.query(sql, LIMITS);
    const second = await this.fixture.query('FROM results.r', { ...LIMITS, inputs: [resultOf(first)] });
    const types = first.columns.map(({ type }) => type);
    expect(second.columns.map(({ type }) => type)).toEqual(types);
    for (const { rowsJson } of [first, second]) expectCells(JSON.parse(rowsJson) as Cells, rows, types);
    await Promise.all([rm(first.filePath), rm(second.filePath)]);
  }

  /** Writes the rows into a Parquet file, as somebody else would, and makes a dataset of it. */
  async expectUpload(sql: string): Promise<void> {
    const file = join(this.fixture.folder, `${randomUUID()}.parquet`);
    await this.raw.run(`COPY (${sql}) TO '${file}' (FORMAT parquet)`);
    const expected = await this.raw.table(`FROM read_parquet('${file}')`);
    const options = { tenantId: 'tenant-a', deadlineMs: LIMITS.deadlineMs };
    const { columns, files, rowCount } = await this.fixture.pool.run({ kind: 'convert', file }, options);
    expect(columns.map(({ name }) => name)).toEqual(expected.names);
    expect(columns.map(({ type }) => type)).toEqual(expected.types);
    const [filePath = ''] = files.map(({ path }) => path);
    await this.expectPage({ filePath, columns }, expected);
    expect(rowCount).toBe(expected.rows.length);
    await Promise.all([rm(file), rm(filePath)]);
  }

  /** A result of the result of a statement, which is what DuckDB says on every way that is not text. */
  private async followed(sql: string): Promise<Kept> {
    const expected = await this.raw.table(sql);
    const first = await this.fixture.query(sql, LIMITS);
    expectTable(first, expected);
    const result = await this.fixture.query('FROM results.r', { ...LIMITS, inputs: [resultOf(first)] });
    expectTable(result, expected);
    await rm(first.filePath);
    await this.expectPage(result, expected);
    await this.expectFile(sql, { result, expected });
    await this.expectArrow({ result, expected });
    return { result, expected };
  }

  private async expectPage(result: Pick<QueryResult, 'filePath' | 'columns'>, expected: RawTable): Promise<void> {
    const page = await this.fixture.pool.run(
      {
        kind: 'read',
        files: [result.filePath],
        columns: result.columns,
        offset: 0,
        limit: LIMITS.rowsMax,
        answerBytesMax: LIMITS.answerBytesMax,
      },
      { tenantId: 'tenant-a', deadlineMs: LIMITS.deadlineMs },
    );
    expectCells(JSON.parse(page.rowsJson) as Cells, expected.rows, expected.types);
  }

  /** The stored values, made again, are DuckDB's own: in text, which shows what equality hides, and to its client. */
  private async expectFile(sql: string, { result, expected }: Kept): Promise<void> {
    const restored = selectStored([result.filePath], result.columns);
    expectCells(await this.raw.texts(restored), await this.raw.texts(sql), expected.types);
    expectCells(await this.raw.values(restored), expected.values, expected.types);
  }

  private async expectTexts({ result, expected: { rows, types } }: Kept): Promise<void> {
    for (const { format, rows: read } of TEXT_FORMATS) {
      expectCells(read(await this.exportedText(result, format)), rows, types);
    }
    const fields = csvRows(await this.exportedText(result, 'csv'));
    const values = fields.map((row, index) => row.map((field, column) => csvValue(field, rows[index]?.[column])));
    expectCells(values, rows, types);
  }

  private async expectArrow({ result, expected }: Kept): Promise<void> {
    const table = arrowTable(await this.exported(result, 'arrow'), expected.columnTypes);
    expect(table.names).toEqual(expected.names);
    expect(table.types).toEqual(expected.types);
    expectCells(table.rows, expected.rows, expected.types);
  }

  private async exportedText(result: QueryResult, format: ExportFormat): Promise<string> {
    return (await this.exported(result, format)).toString('utf8');
  }

  private async exported({ filePath, columns }: QueryResult, format: ExportFormat): Promise<Buffer> {
    const request = { files: [filePath], columns, format };
    const { body } = await this.fixture.pool.export(request, { tenantId: 'tenant-a', deadlineMs: LIMITS.deadlineMs });
    return buffer(body);
  }

  async close(): Promise<void> {
    this.raw.close();
    await this.fixture.close();
  }
}

function resultOf({ filePath, columns }: QueryResult): TableInput {
  return { schema: 'results', table: 'r', files: [filePath], columns };
}

function expectTable(result: QueryResult, expected: RawTable): void {
  expect(result.columns.map(({ name }) => name)).toEqual(expected.names);
  expect(result.columns.map(({ type }) => type)).toEqual(expected.types);
  expectCells(JSON.parse(result.rowsJson) as Cells, expected.rows, expected.types);
  expect(result).toMatchObject({ rowCount: expected.rows.length, truncated: false });
}

type Cells = readonly (readonly unknown[])[];

/** Names the first cells that differ: a table of wide rows can't be read whole. */
function expectCells(received: Cells, expected: Cells, types: readonly string[]): void {
  expect(received.length).toBe(expected.length);
  const differences = expected.flatMap((row, rowIndex) =>
    types.flatMap((type, index) => {
      const [is, shouldBe] = [received[rowIndex]?.[index], row[index]];
      return isSameValue(is, shouldBe) ? [] : [{ row: rowIndex, column: index, type, is, shouldBe }];
    }),
  );
  expect(differences.slice(0, DIFFERENCES_SHOWN_MAX)).toEqual([]);
}
