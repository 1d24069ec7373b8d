import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { uniqueColumnNames } from '@millrace/domain';
import { ConvertFixture } from '../../test/convert-fixture.js';
import { csvRows } from '../../test/exported-rows.js';
import type { QueryResult } from '../tasks/query.task.js';
import { quoteIdentifier } from './sql-text.js';

const MiB = 1024 ** 2;
/** For statements that are heavy work for DuckDB itself, on a machine that has other work. */
const HEAVY_MS = 150_000;

const NAMES = [
  ...[
    'a',
    'a',
    'A',
    'a_1',
    'select',
    'a.b',
    'x\ny',
    '\t',
    ' ',
    ' lead',
    'trail ',
    'é',
    'É',
    'İ',
    'ß',
    '日本',
    '😀',
    'e\u0301',
  ],
  ...["it's", 'q"q', '{}', '%s', '/*', '--', '$1', 'a,b', '__proto__', 'constructor', 'toString', 'e0', 'c0', 'rowid'],
  'n'.repeat(10_000),
];
const UNIQUE = uniqueColumnNames(NAMES);
const VALUES = NAMES.map((_, index) => index);

describe('columns', () => {
  let fixture: ConvertFixture;
  beforeAll(async () => {
    fixture = await ConvertFixture.open();
  });
  afterAll(() => fixture.close());

  const query = (sql: string, of?: QueryResult): Promise<QueryResult> => {
    const inputs = of ? [{ schema: 'results' as const, table: 'r', files: [of.filePath], columns: of.columns }] : [];
    return fixture.base.query(sql, { inputs, answerBytesMax: 8 * MiB, deadlineMs: HEAVY_MS });
  };
  const exported = async ({ filePath, columns }: QueryResult, format: 'csv' | 'json' | 'ndjson'): Promise<string> => {
    const request = { files: [filePath], columns, format };
    const { body } = await fixture.base.pool.export(request, { tenantId: 'tenant-a', deadlineMs: HEAVY_MS });
    return text(body);
  };
  const read = ({ filePath, columns }: QueryResult) =>
    fixture.base.pool.run(
      { kind: 'read', files: [filePath], columns, offset: 0, limit: 10, answerBytesMax: 8 * MiB },
      { tenantId: 'tenant-a', deadlineMs: HEAVY_MS },
    );

  it.each(['INTEGER', 'HUGEINT'])('of type %s have any name, in answers, results and downloads', async (type) => {
    const items = NAMES.map((name, index) => `${index}::${type} AS ${quoteIdentifier(name)}`);
    const result = await query(`SELECT ${items.join(', ')}`);
    expect(result.columns.map(({ name }) => name)).toEqual(NAMES);
    expect(JSON.parse(result.rowsJson)).toEqual([VALUES]);
    expect(JSON.parse((await read(result)).rowsJson)).toEqual([VALUES]);
    const [header, row] = csvRows(`\n${await exported(result, 'csv')}`);
    expect(header).toEqual(NAMES);
    expect(row).toEqual(VALUES.map(String));
    const [object] = JSON.parse(await exported(result, 'json')) as object[];
    expect(Object.entries(object ?? {})).toEqual(UNIQUE.map((name, index) => [name, index]));
  });

  it('of a result are addressed by their names, equal ones by a number behind', async () => {
    const items = NAMES.map((name, index) => `${index} AS ${quoteIdentifier(name)}`);
    const result = await query(`SELECT ${items.join(', ')}`);
    const all = await query('FROM results.r', result);
    expect(all.columns.map(({ name }) => name)).toEqual(UNIQUE);
    const each = await query(
      `SELECT ${UNIQUE.map((name) => `r.${quoteIdentifier(name)}`).join(', ')} FROM results.r`,
      result,
    );
    expect(JSON.parse(each.rowsJson)).toEqual([VALUES]);
  });

  it('of CSV and JSON keep their names', async () => {
    const names = UNIQUE.filter((name) => name.trim() === name && name !== '');
    const line = (items: readonly unknown[]): string =>
      `${items.map((item) => `"${String(item).replaceAll('"', '""')}"`).join(',')}\n`;
    const csv = await fixture.convert(line(names) + line(names.map((_, index) => index)), { format: 'csv' });
    expect(csv.columns.map(({ name }) => name)).toEqual(names);
    expect(await fixture.rowsOf(csv)).toEqual([names.map((_, index) => index)]);
    const object = `{${names.map((name, index) => `${JSON.stringify(name)}:${index}`).join(',')}}`;
    const json = await fixture.convert(object, { format: 'json' });
    expect(json.columns.map(({ name }) => name)).toEqual(names);
    expect(await fixture.rowsOf(json)).toEqual([names.map((_, index) => index)]);
  });

  it('must be there', async () => {
    const none = query('SELECT * EXCLUDE (a) FROM (SELECT 1 AS a)');
    await expect(none).rejects.toMatchObject({ code: 'sql.invalid' });
    await expect(none).rejects.toThrow(/empty/);
  });

  it.each(['csv', 'ndjson'] as const)(
    'have their rows in order in %s',
    async (format) => {
      const result = await query(
        'SELECT (i * 7919) % 300007 AS x, [i::HUGEINT] AS h FROM range(300007) AS t(i) ORDER BY x DESC',
      );
      const lines = (await exported(result, format)).split('\n');
      const rows = format === 'csv' ? lines.slice(1, -1) : lines.slice(0, -1);
      const numbers = rows.map((line) => Number(/\d+/.exec(line)?.[0]));
      expect(numbers.length).toBe(300_007);
      expect(numbers.every((number, index) => number === 300_006 - index)).toBe(true);
    },
    HEAVY_MS,
  );
});
