import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RecordBatchReader, tableFromIPC } from 'apache-arrow';
import { ExportFixture, type StoredTable } from '../../test/export-fixture.js';
import { DEFAULT_ENGINE_OPTIONS } from './engine-options.js';

const { memoryBytes } = DEFAULT_ENGINE_OPTIONS;
/** More than one statement encodes. */
const COLUMNS = 1_030;
const HEAVY_MS = 120_000;

const AWKWARD = [
  'NULL',
  "''",
  "' a '",
  "'a\"b,c'",
  "'a' || chr(13) || chr(10) || 'b'",
  "'NULL'",
  "'é' || chr(0)",
  'true',
  '(-9223372036854775808)::BIGINT',
  '170141183460469231731687303715884105727::HUGEINT',
  "'-0.0000000001'::DECIMAL(38,10)",
  "'-inf'::DOUBLE",
  "'a\\x00\\xFF'::BLOB",
  "''::BLOB",
  "DATE '2020-02-29'",
  "'2020-02-29 12:00:00.5+02'::TIMESTAMPTZ",
  "'2020-02-29 12:00:00.123'::TIMESTAMP_MS",
  "'12:00:00+02'::TIMETZ",
  "INTERVAL '1 year 4.5 seconds'",
  '\'{"a": null}\'::JSON',
  "'b,c'::ENUM('a', 'b,c')",
  "['a,\"b', NULL]",
  "{'a': 9007199254740993, 'b': NULL}",
  "MAP {'k': 1}",
  "'x'::UNION(num INTEGER, str VARCHAR)",
  'NULL::INTEGER[]',
  '[1, 2]::INTEGER[2]',
  "'00000000-0000-0000-0000-00000000000a'::UUID",
];

const select = (values: readonly string[]): string =>
  `SELECT ${values.map((value, index) => `${value} AS "c.${index}"`).join(', ')}`;
const bigText = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value);

describe('an export of many columns', () => {
  let fixture: ExportFixture;
  let narrow: StoredTable;
  let wide: StoredTable;
  const times = Math.ceil(COLUMNS / AWKWARD.length);

  beforeAll(async () => {
    fixture = await ExportFixture.open({ memoryBytes, childrenMax: 1 });
    narrow = await fixture.store(select(AWKWARD));
    wide = await fixture.store(select(Array.from({ length: times }, () => AWKWARD).flat()));
  }, HEAVY_MS);
  afterAll(() => fixture.close());

  const repeated = (text: string): string => Array.from({ length: times }, () => text).join(',');

  it('has the fields of CSV that one of few columns has', async () => {
    const [few, many] = [await fixture.text(narrow, 'csv'), await fixture.text(wide, 'csv')];
    const fields = (text: string): string => text.slice(text.indexOf('\n') + 1, -1);
    expect(fields(many)).toBe(repeated(fields(few)));
  });

  it('quotes the characters in CSV that one of few columns quotes', async () => {
    const characters = Array.from({ length: COLUMNS }, (_, index) => `'a' || chr(${index})`);
    const hundreds = Array.from({ length: Math.ceil(COLUMNS / 100) }, (_, index) => index * 100);
    const fields = async (values: readonly string[]): Promise<string> => {
      const text = await fixture.exported(select(values), 'csv');
      return text.slice(text.indexOf('\n') + 1, -1);
    };
    const few: string[] = [];
    for (const start of hundreds) few.push(await fields(characters.slice(start, start + 100)));
    expect((await fields(characters)) === few.join(',')).toBe(true);
  });

  it.each(['json', 'ndjson'] as const)('has the values in %s that one of few columns has', async (format) => {
    const rows = async (table: StoredTable): Promise<object> => {
      const parsed: unknown = JSON.parse(await fixture.text(table, format));
      return (format === 'json' ? (parsed as unknown[])[0] : parsed) as object;
    };
    const [few, many] = [await rows(narrow), await rows(wide)];
    expect(Object.keys(many)).toEqual(wide.columns.map(({ name }) => name));
    expect(Object.values(many)).toEqual(Array.from({ length: times }, () => Object.values(few) as unknown[]).flat());
  });

  it('has the text as arrays that one of few columns has', async () => {
    const [few, many] = [await fixture.text(narrow, 'arrays'), await fixture.text(wide, 'arrays')];
    expect(many).toBe(`[[${repeated(few.slice('[['.length, -']\n]\n'.length))}]\n]\n`);
  });

  it('has the types and values in Arrow that one of few columns has', async () => {
    const read = async (table: StoredTable): Promise<{ types: string[]; values: unknown[] }> => {
      const arrow = tableFromIPC(await fixture.bytes(table, 'arrow'));
      const types = arrow.schema.fields.map(({ type, metadata }) => `${type} ${metadata.get('millrace.type')}`);
      const [row] = arrow.toArray();
      return { types, values: Object.values(JSON.parse(JSON.stringify(row, bigText)) as object) };
    };
    const [few, many] = [await read(narrow), await read(wide)];
    expect(many.types).toEqual(Array.from({ length: times }, () => few.types).flat());
    expect(many.values).toEqual(Array.from({ length: times }, () => few.values).flat());
  });

  it.each([
    ['csv', 'c.0'],
    ['json', '[]\n'],
    ['arrays', '[]\n'],
    ['ndjson', ''],
  ] as const)('is whole without rows, as %s', async (format, start) => {
    const text = await fixture.text({ ...wide, files: [] }, format);
    expect(text.startsWith(start)).toBe(true);
    expect(text.split('\n')).toHaveLength(format === 'ndjson' ? 1 : 2);
  });
});

describe('an export of many columns and rows', () => {
  const ROWS = 6_000;
  let fixture: ExportFixture;
  let table: StoredTable;

  beforeAll(async () => {
    fixture = await ExportFixture.open({ memoryBytes, childrenMax: 1 });
    const cells = Array.from({ length: COLUMNS }, (_, index) => `r * ${COLUMNS} + ${index} AS c${index}`).join(', ');
    const [first, second] = [`range(${ROWS - 5})`, `range(${ROWS - 5}, ${ROWS})`];
    table = await fixture.store(`SELECT ${cells} FROM ${first} t(r)`);
    const further = await fixture.store(`SELECT ${cells} FROM ${second} t(r)`);
    table = { ...table, files: [...table.files, ...further.files] };
  }, HEAVY_MS);
  afterAll(() => fixture.close());

  it.each(['csv', 'ndjson'] as const)(
    'keeps the order of rows, columns and files in %s',
    async (format) => {
      const text = await fixture.text(table, format, { deadlineMs: HEAVY_MS });
      const lines = text.split('\n').slice(format === 'csv' ? 1 : 0, -1);
      expect(lines).toHaveLength(ROWS);
      const isRight = (line: string, row: number): boolean => {
        const values = line.match(/(?<![c\d])\d+/g) ?? [];
        return values.length === COLUMNS && values.every((value, index) => Number(value) === row * COLUMNS + index);
      };
      expect(lines.findIndex((line, row) => !isRight(line, row))).toBe(-1);
    },
    HEAVY_MS,
  );

  it(
    'keeps the order of rows, columns and files in Arrow',
    async () => {
      const bytes = await fixture.bytes(table, 'arrow', { deadlineMs: HEAVY_MS });
      let row = 0;
      for (const batch of RecordBatchReader.from(bytes)) {
        for (const index of [0, 249, 250, COLUMNS - 1]) {
          const values = Array.from(batch.getChildAt(index) ?? [], Number);
          const start = row;
          expect(values.findIndex((value, at) => value !== (start + at) * COLUMNS + index)).toBe(-1);
        }
        row += batch.numRows;
      }
      expect(row).toBe(ROWS);
    },
    HEAVY_MS,
  );

  it.each([0, 1, 5_000])('ends after the %i rows that were asked for', async (limit) => {
    const text = await fixture.text(table, 'csv', { limit, deadlineMs: HEAVY_MS });
    expect(text.split('\n')).toHaveLength(limit + 2);
    const arrow = await fixture.bytes(table, 'arrow', { limit, deadlineMs: HEAVY_MS });
    expect([...RecordBatchReader.from(arrow)].reduce((sum, { numRows }) => sum + numRows, 0)).toBe(limit);
  });
});
