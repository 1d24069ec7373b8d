import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { DuckDBInstance } from '@duckdb/node-api';
import { eventually } from '@millrace/testing/eventually';
import { ExportFixture, type StoredTable } from '../../test/export-fixture.js';
import { enginePids } from '../../test/pool-fixture.js';

describe('exports as text', () => {
  let fixture: ExportFixture;

  beforeAll(async () => {
    fixture = await ExportFixture.open();
  });
  afterAll(() => fixture.close());

  it('gives CSV by RFC 4180, in which NULL is not the empty text', async () => {
    const sql = `SELECT * FROM (VALUES (1, 'a,"b"', NULL), (2, '', 'x' || chr(13)), (NULL, ' y ', chr(10))) t(i, "a,b", c)`;
    expect(await fixture.exported(sql, 'csv')).toBe('i,"a,b",c\n1,"a,""b""",\n2,"","x\r"\n, y ,"\n"\n');
  });

  it.each([
    ['json', '[{"a":1,"a_1":null}\n,{"a":2,"a_1":"x"}\n]\n'],
    ['arrays', '[[1,null]\n,[2,"x"]\n]\n'],
    ['ndjson', '{"a":1,"a_1":null}\n{"a":2,"a_1":"x"}\n'],
    ['csv', 'a,a\n1,\n2,x\n'],
  ] as const)('gives %s with equal names', async (format, text) => {
    expect(await fixture.exported("SELECT a, b AS a FROM (VALUES (1, NULL), (2, 'x')) t(a, b)", format)).toBe(text);
  });

  it.each([
    ['json', '[]\n'],
    ['arrays', '[]\n'],
    ['ndjson', ''],
    ['csv', 'a," b "\n'],
  ] as const)('gives %s without rows', async (format, text) => {
    const table = await fixture.store('SELECT 1 AS a, 2 AS " b " WHERE false');
    expect(await fixture.text(table, format)).toBe(text);
    expect(await fixture.text({ ...table, files: [] }, format)).toBe(text);
  });

  it.each([
    ['json', '[]\n'],
    ['arrays', '[]\n'],
    ['ndjson', ''],
    ['csv', ''],
  ] as const)('gives %s without columns', async (format, text) => {
    expect(await fixture.text({ files: [], columns: [] }, format)).toBe(text);
  });
});

/** A value that CSV and every other format must keep, with its field in CSV as DuckDB reads it: as text. */
const FIELDS: readonly (readonly [sql: string, text: string | null])[] = [
  ['NULL', null],
  ["''", ''],
  ["' a '", ' a '],
  ["'a\"b,c'", 'a"b,c'],
  ["'a' || chr(13) || chr(10) || 'b'", 'a\r\nb'],
  ["'NULL'", 'NULL'],
  ['true', 'true'],
  ['(-9223372036854775808)::BIGINT', '-9223372036854775808'],
  ['170141183460469231731687303715884105727::HUGEINT', '170141183460469231731687303715884105727'],
  ["'-0.0000000001'::DECIMAL(38,10)", '-0.0000000001'],
  ['0.1::FLOAT', '0.1'],
  ["'nan'::DOUBLE", 'NaN'],
  ["'-inf'::DOUBLE", '-Infinity'],
  ["'a\\x00\\xFF'::BLOB", 'YQD/'],
  ["''::BLOB", ''],
  ["DATE '2020-02-29'", '2020-02-29'],
  ["TIMESTAMP '2020-02-29 12:00:00.123456'", '2020-02-29T12:00:00.123456'],
  ["'2020-02-29 12:00:00.5+02'::TIMESTAMPTZ", '2020-02-29T10:00:00.5Z'],
  ["'12:00:00+02'::TIMETZ", '12:00:00+02:00'],
  ["INTERVAL '1 year 4.5 seconds'", 'P1YT4.5S'],
  ['\'{"a": null}\'::JSON', '{"a": null}'],
  ["'b,c'::ENUM('a', 'b,c')", 'b,c'],
  ["['a,\"b', NULL]", '["a,\\"b",null]'],
  ["{'a': 9007199254740993, 'b': NULL}", '{"a":"9007199254740993","b":null}'],
  ["MAP {'k': 1}", '[{"key":"k","value":1}]'],
  ["'x'::UNION(num INTEGER, str VARCHAR)", '{"tag":"str","value":"x"}'],
  ['NULL::INTEGER[]', null],
  ['[]::INTEGER[]', '[]'],
];

describe('values in CSV', () => {
  it('are read back by DuckDB as they were written', async () => {
    const fixture = await ExportFixture.open();
    const path = join(await mkdtemp(join(tmpdir(), 'millrace-csv-')), 'a.csv');
    try {
      const table = await fixture.store(`SELECT ${FIELDS.map(([sql], index) => `${sql} AS c${index}`).join(', ')}`);
      await writeFile(path, await fixture.bytes(table, 'csv'));
      const options = `all_varchar = true, header = true, delim = ',', quote = '"', escape = '"', strict_mode = true`;
      const connection = await (await DuckDBInstance.create()).connect();
      const reader = await connection.runAndReadAll(`FROM read_csv('${path}', ${options}, allow_quoted_nulls = false)`);
      expect(reader.getRows()).toEqual([FIELDS.map(([, text]) => text)]);
    } finally {
      await rm(dirname(path), { recursive: true });
      await fixture.close();
    }
  });
});

describe('an export', () => {
  let fixture: ExportFixture;
  let table: StoredTable;

  beforeAll(async () => {
    fixture = await ExportFixture.open({ childrenMax: 1 });
    table = await fixture.store('SELECT i, md5(i::VARCHAR) AS s FROM range(400000) t(i)');
  });
  afterAll(() => fixture.close());

  const nothingIsLeft = async (): Promise<void> => {
    await eventually('its child is free', async () => (await fixture.base.pool.counts()).busy === 0);
    // The folders of a child that goes vanish while they are read.
    await eventually('its folders are empty', async () => {
      const paths = await readdir(fixture.base.folder, { recursive: true }).catch(() => undefined);
      return paths?.every((path) => !/\/(inputs|pipes|scratch)\/./.test(path) || path.endsWith('/scratch/tmp'));
    });
    expect(await fixture.base.rows('SELECT 42')).toEqual([[42]]);
  };

  it('waits for its reader, and frees its child when that goes', async () => {
    const { body } = await fixture.start(table, 'csv');
    await once(body, 'readable');
    expect(body.read()).toBeInstanceOf(Buffer);
    expect((await fixture.base.pool.counts()).busy).toBe(1);
    body.destroy();
    await nothingIsLeft();
  });

  it('breaks off when its child is killed', async () => {
    const { body } = await fixture.start(table, 'csv');
    for (const pid of await enginePids(process.pid)) process.kill(pid, 'SIGKILL');
    await expect(buffer(body)).rejects.toMatchObject({ code: 'query.crashed', retryable: true });
    await nothingIsLeft();
  });

  it('breaks off at its deadline, whoever is slow', async () => {
    const { body } = await fixture.start(table, 'csv', { deadlineMs: 1_000 });
    await expect(once(body, 'close')).rejects.toMatchObject({ code: 'query.deadline' });
    await nothingIsLeft();
  });

  it('breaks off when it is cancelled', async () => {
    const abort = new AbortController();
    const { body } = await fixture.start(table, 'csv', { signal: abort.signal });
    abort.abort();
    await expect(buffer(body)).rejects.toMatchObject({ code: 'query.cancelled' });
    await nothingIsLeft();
    await expect(fixture.start(table, 'csv', { signal: abort.signal })).rejects.toMatchObject({
      code: 'query.cancelled',
    });
  });

  it('breaks off when its reader takes nothing for too long', async () => {
    const impatient = await ExportFixture.open({
      childrenMax: 1,
      exportPace: { idleMaxMs: 300, bytesPerSecondMin: 1 },
    });
    try {
      const { body } = await impatient.start(table, 'csv');
      await expect(once(body, 'close')).rejects.toMatchObject({ code: 'download.stalled', retryable: true });
      expect(await impatient.base.rows('SELECT 42')).toEqual([[42]]);
    } finally {
      await impatient.close();
    }
  });

  it('breaks off when its reader takes a little again and again', async () => {
    const impatient = await ExportFixture.open({
      childrenMax: 1,
      exportPace: { idleMaxMs: 2_000, bytesPerSecondMin: 1024 ** 3 },
    });
    try {
      const { body } = await impatient.start(table, 'csv');
      const trickle = setInterval(() => body.read(), 20);
      await expect(once(body, 'close')).rejects.toMatchObject({ code: 'download.stalled' });
      clearInterval(trickle);
      expect(await impatient.base.rows('SELECT 42')).toEqual([[42]]);
    } finally {
      await impatient.close();
    }
  });

  it('does not leave its end with a reader that never takes it', async () => {
    const impatient = await ExportFixture.open({
      childrenMax: 1,
      exportPace: { idleMaxMs: 300, bytesPerSecondMin: 1 },
    });
    try {
      const small = await fixture.store('SELECT 1 AS a');
      const { body } = await impatient.start(small, 'csv');
      await expect(once(body, 'close')).rejects.toMatchObject({ code: 'download.stalled' });
    } finally {
      await impatient.close();
    }
  });

  it('waits for a child only so long', async () => {
    const crowded = await ExportFixture.open({ childrenMax: 1, exportWaitMaxMs: 100 });
    try {
      const { body } = await crowded.start(table, 'csv');
      await expect(crowded.start(table, 'csv', { tenantId: 'tenant-b' })).rejects.toMatchObject({
        code: 'query.too_many',
        retryable: true,
      });
      await expect(crowded.start(table, 'csv', { deadlineMs: 50 })).rejects.toMatchObject({ code: 'query.deadline' });
      body.destroy();
    } finally {
      await crowded.close();
    }
  });

  it('is refused when a file is missing or damaged', async () => {
    await expect(fixture.start({ ...table, files: ['/nowhere'] }, 'csv')).rejects.toMatchObject({
      code: 'storage.object_missing',
    });
    const damaged = join(fixture.base.folder, 'damaged.parquet');
    await writeFile(damaged, 'PAR1 nothing PAR1');
    await expect(fixture.start({ ...table, files: [damaged] }, 'csv')).rejects.toMatchObject({
      code: 'result.corrupt',
    });
    await nothingIsLeft();
  });

  it.each(['csv', 'json', 'arrow'] as const)('never ends as %s when it is not complete', async (format) => {
    const damaged = join(fixture.base.folder, `damaged-${format}.parquet`);
    await writeFile(damaged, 'PAR1 nothing PAR1');
    await expect(fixture.bytes({ ...table, files: [...table.files, damaged] }, format)).rejects.toMatchObject({
      code: 'result.corrupt',
    });
    await nothingIsLeft();
  });

  it.each(['csv', 'arrow'] as const)('keeps its memory when rows are long and alike, as %s', async (format) => {
    const long = await fixture.store("SELECT repeat('x', 10000) AS s FROM range(60000)");
    const { body } = await fixture.start(long, format);
    let bytes = 0;
    for await (const piece of body) bytes += (piece as Buffer).length;
    expect(bytes).toBeGreaterThan(600_000_000);
  });

  it.each(['csv', 'json', 'arrays', 'ndjson'] as const)('keeps the order of rows and files in %s', async (format) => {
    const next = await fixture.store('SELECT i, NULL AS s FROM range(400000, 400010) t(i)');
    const text = await fixture.text({ ...table, files: [...table.files, ...next.files] }, format);
    const numbers = [...text.matchAll(/^\D*(\d+)/gm)].map(([, digits]) => Number(digits));
    expect(numbers).toHaveLength(400_010);
    expect(numbers.every((number, index) => number === index)).toBe(true);
  });

  it('ends after so many rows as were asked for', async () => {
    expect(await fixture.text(table, 'ndjson', { limit: 1 })).toBe('{"i":0,"s":"cfcd208495d565ef66e7dff9f98764da"}\n');
    expect(await fixture.text(table, 'arrays', { limit: 0 })).toBe('[]\n');
  });
});
