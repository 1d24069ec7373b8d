import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { arrowTable } from '../../libs/engine/test/arrow-rows.js';
import { csvRows, csvValue } from '../../libs/engine/test/exported-rows.js';
import { RawDuckdb, type RawTable } from '../../libs/engine/test/raw-duckdb.js';
import { isSameValue } from '../../libs/engine/test/same-value.js';
import { SCALARS, valuesOf } from '../../libs/engine/test/typed-values.js';
import { wrappedOnce } from '../../libs/engine/test/wrappings.js';
import { Analyst } from './harness/analyst.js';
import { startMillrace, type MillraceUnderTest } from './harness/millrace.js';

type Cells = readonly (readonly unknown[])[];
type Format = 'parquet' | 'arrow' | 'csv' | 'json' | 'ndjson';
type Kind = 'result' | 'dataset';

interface Kept {
  readonly kind: Kind;
  readonly id: string;
  readonly columns: readonly { readonly name: string; readonly type: string; readonly nullable: boolean }[];
}

/** Several row groups of Parquet, whose order a parallel writer could change. */
const MANY_ROWS = 300_000;
const VALUES_SHOWN_MAX = 3;

/** Every type alone, in a LIST, an ARRAY, a STRUCT, a MAP as value and as key, and a UNION. */
function everyType(types: typeof SCALARS, isKept: (sql: string) => boolean = () => true): string {
  const tables = types.map((typed, place) => `${valuesOf(typed)} AS t${place}(v${place})`);
  const items = types.flatMap(({ type }, place) => nested(`v${place}`, type).filter(isKept));
  const columns = items.map((value, index) => `${value} AS c${index}`);
  return `SELECT ${columns.join(', ')} FROM ${tables.join(' POSITIONAL JOIN ')}`;
}

/** The gate takes no cast to a type that has the values of an ENUM within: it gets its nested types from the value. */
function nested(value: string, type: string): string[] {
  if (!type.startsWith('ENUM')) return wrappedOnce(value, type);
  const inside = [`[${value}, NULL]`, `array_value(${value}, NULL)`, `{'a b': ${value}}`, `MAP {'k': ${value}}`];
  return [
    value,
    ...inside,
    `CASE WHEN ${value} IS NOT NULL THEN MAP([${value}], [1]) END`,
    `union_value(m := ${value})`,
  ];
}

describe('every value in every format over HTTP', () => {
  let millrace: MillraceUnderTest;
  let analyst: Analyst;
  let raw: RawDuckdb;

  beforeAll(async () => {
    [millrace, raw] = await Promise.all([startMillrace(), RawDuckdb.open()]);
    analyst = new Analyst((await millrace.newTenant()).asAdmin);
  });
  afterAll(async () => {
    raw.close();
    await millrace.stop();
  });

  const readyResult = (id: string) =>
    eventually(`result ${id} is ready`, async () => {
      const { body } = await analyst.client.call('result.get', { path: { id } });
      return body.status === 'ready' && body;
    });
  async function download({ kind, id }: Pick<Kept, 'kind' | 'id'>, format: Format): Promise<Buffer> {
    const answer = await analyst.client.open(`${kind}.download`, { path: { id }, query: { format } });
    return Buffer.from(await answer.arrayBuffer());
  }
  /** The stored file as DuckDB reads it, made into values by the columns that came with it. */
  async function expectParquet(kept: Kept, expected: RawTable): Promise<void> {
    const file = join(millrace.dataFolder, `${kept.id}.parquet`);
    await writeFile(file, await download(kept, 'parquet'));
    expectCells(await raw.storedValues(file, kept.columns), expected.values);
  }
  async function expectDownloads(kept: Kept, expected: RawTable): Promise<void> {
    const text = async (format: Format): Promise<string> => (await download(kept, format)).toString('utf8');
    const values = (rows: unknown): Cells => (rows as object[]).map((row) => Object.values(row) as unknown[]);
    expectCells(values(JSON.parse(await text('json'))), expected.rows);
    const lines = (await text('ndjson')).split('\n').slice(0, -1);
    expectCells(values(lines.map((line) => JSON.parse(line) as unknown)), expected.rows);
    const fields = csvRows(await text('csv'));
    expectCells(
      fields.map((row, index) => row.map((field, column) => csvValue(field, expected.rows[index]?.[column]))),
      expected.rows,
    );
    const arrow = arrowTable(await download(kept, 'arrow'), expected.columnTypes);
    expect([arrow.names, arrow.types]).toEqual([expected.names, expected.types]);
    expectCells(arrow.rows, expected.rows);
    await expectParquet(kept, expected);
  }

  it.each(['result', 'dataset'] as const)('is what DuckDB says, as a %s', async (kind) => {
    const sql = kind === 'result' ? everyType(SCALARS) : everyType(SCALARS.filter(isKeptByParquet), isNoUnion);
    const expected = kind === 'result' ? await raw.table(sql) : await uploadedTable(sql);
    const kept = kind === 'result' ? await keptResult(sql, expected) : await keptDataset();
    await expectDownloads(kept, expected);
  });

  async function keptResult(sql: string, expected: RawTable): Promise<Kept> {
    const answer = await analyst.ask(sql);
    expect(answer.types).toEqual(expected.types);
    expectCells(answer.rows, expected.rows);
    expectCells((await readyResult(answer.result_id)).rows ?? [], expected.rows);
    expectCells(await analyst.rows(`FROM results.${answer.result_id}`), expected.rows);
    const { body: objects } = await analyst.client.call('result.get', {
      path: { id: answer.result_id },
      query: { format: 'objects' },
    });
    const rows = (objects.rows ?? []).map((row) => Object.values(row));
    expectCells(rows, expected.rows);
    const columns = answer.columns.map((name, index) => ({ name, type: answer.types[index] ?? '', nullable: true }));
    return { kind: 'result', id: answer.result_id, columns };
  }

  const uploaded = (): string => join(millrace.dataFolder, 'every-type.parquet');
  async function uploadedTable(sql: string): Promise<RawTable> {
    await raw.run(`COPY (${sql}) TO '${uploaded()}' (FORMAT parquet)`);
    return raw.table(`FROM read_parquet('${uploaded()}')`);
  }
  async function keptDataset(): Promise<Kept> {
    const table = await analyst.tableOf({ bytes: Uint8Array.from(await readFile(uploaded())) });
    return { kind: 'dataset', id: table.dataset.id, columns: table.dataset.columns };
  }

  it('has its rows in the order of the statement', async () => {
    const { result_id: id } = await analyst.ask(
      `SELECT i, i::HUGEINT AS h FROM range(${MANY_ROWS}) t(i) ORDER BY hash(i), i`,
    );
    await readyResult(id);
    const kept = { kind: 'result', id } as const;
    const expected = (await raw.values(`SELECT i FROM range(${MANY_ROWS}) t(i) ORDER BY hash(i), i`)).map(String);
    const lines = async (format: Format): Promise<string[]> =>
      (await download(kept, format)).toString('utf8').trimEnd().split('\n');
    const orders: Record<Format, string[]> = {
      csv: (await lines('csv')).slice(1).map((line) => line.replace(/,.*/, '')),
      ndjson: (await lines('ndjson')).map((line) => String((JSON.parse(line) as { i: number }).i)),
      json: (JSON.parse((await download(kept, 'json')).toString('utf8')) as { i: number }[]).map(({ i }) => String(i)),
      arrow: arrowTable(await download(kept, 'arrow'), (await raw.table('SELECT 1::BIGINT, 1::HUGEINT')).columnTypes)
        .rows.map(([i]) => String(i)), // prettier-ignore
      parquet: await parquetOrder(kept),
    };
    for (const [format, order] of Object.entries(orders)) {
      expect([format, order.length, order.findIndex((value, index) => value !== expected[index])]).toEqual([format, MANY_ROWS, -1]); // prettier-ignore
    }
  });
  async function parquetOrder(kept: Pick<Kept, 'kind' | 'id'>): Promise<string[]> {
    const file = join(millrace.dataFolder, `${kept.id}.parquet`);
    await writeFile(file, await download(kept, 'parquet'));
    return (await raw.values(`SELECT i FROM read_parquet('${file}')`)).map(String);
  }
});

const isNoUnion = (sql: string): boolean => !sql.includes('union_value');

/** Parquet has no unions, and no INTERVAL or TIMESTAMP_S of every value. */
const isKeptByParquet = ({ type }: { readonly type: string }): boolean => !['INTERVAL', 'TIMESTAMP_S'].includes(type);

/** Names the first cells that differ: rows of hundreds of columns can't be read whole. */
function expectCells(received: Cells, expected: Cells): void {
  expect(received.length).toBe(expected.length);
  const differences = expected.flatMap((row, rowIndex) =>
    row.flatMap((shouldBe, column) => {
      const is = received[rowIndex]?.[column];
      return isSameValue(is, shouldBe) ? [] : [{ row: rowIndex, column, is, shouldBe }];
    }),
  );
  expect(differences.slice(0, VALUES_SHOWN_MAX)).toEqual([]);
}
