import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
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

describe('an export', () => {
  let fixture: ExportFixture;
  let table: StoredTable;

  beforeAll(async () => {
    fixture = await ExportFixture.open({ childrenMax: 1 });
    table = await fixture.store('SELECT i, md5(i::VARCHAR) AS s FROM range(2000000) t(i)');
  });
  afterAll(() => fixture.close());

  const nothingIsLeft = async (): Promise<void> => {
    await eventually('its child is free', async () => (await fixture.base.pool.counts()).busy === 0);
    const paths = await readdir(fixture.base.folder, { recursive: true });
    expect(paths.filter((path) => /\/(pipes|scratch)\/./.test(path) && !path.endsWith('/scratch/tmp'))).toEqual([]);
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
    const impatient = await ExportFixture.open({ childrenMax: 1, exportIdleMaxMs: 300 });
    try {
      const { body } = await impatient.start(table, 'csv');
      await expect(once(body, 'close')).rejects.toMatchObject({ code: 'download.stalled', retryable: true });
      expect(await impatient.base.rows('SELECT 42')).toEqual([[42]]);
    } finally {
      await impatient.close();
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

  it.each(['csv', 'json', 'arrays', 'ndjson'] as const)('keeps the order of rows and files in %s', async (format) => {
    const next = await fixture.store('SELECT i, NULL AS s FROM range(2000000, 2000010) t(i)');
    const text = await fixture.text({ ...table, files: [...table.files, ...next.files] }, format);
    const numbers = [...text.matchAll(/^\D*(\d+)/gm)].map(([, digits]) => Number(digits));
    expect(numbers).toHaveLength(2_000_010);
    expect(numbers.every((number, index) => number === index)).toBe(true);
  });

  it('ends after so many rows as were asked for', async () => {
    expect(await fixture.text(table, 'ndjson', { limit: 1 })).toBe('{"i":0,"s":"cfcd208495d565ef66e7dff9f98764da"}\n');
    expect(await fixture.text(table, 'arrays', { limit: 0 })).toBe('[]\n');
  });
});
