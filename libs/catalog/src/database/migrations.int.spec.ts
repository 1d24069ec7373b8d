import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Catalog, migrate, MIGRATIONS_FOLDER } from '@millrace/catalog';
import { startPostgres, type TestDatabase } from '@millrace/testing';

describe('migrations', () => {
  let database: TestDatabase;
  let folder: string;

  beforeAll(async () => {
    database = await startPostgres();
    folder = await mkdtemp(join(tmpdir(), 'millrace-migrations-'));
  });

  afterAll(async () => {
    await database.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('are applied once, however many processes start at the same time', async () => {
    const { databaseUrl } = database;
    const applied = await Promise.all([1, 2, 3, 4].map(() => migrate({ databaseUrl })));
    expect(applied.filter((names) => names.length > 0)).toHaveLength(1);
    expect(applied.flat()[0]).toBe('0001-create-catalog.sql');
    expect(await migrate({ databaseUrl, folder: MIGRATIONS_FOLDER })).toEqual([]);
  });

  it('are refused when an applied file was changed', async () => {
    const { databaseUrl } = database;
    const file = join(folder, '0001-create-thing.sql');
    await writeFile(file, 'CREATE TABLE thing (id int)');
    expect(await migrate({ databaseUrl, folder })).toEqual(['0001-create-thing.sql']);
    await writeFile(file, 'CREATE TABLE thing (id bigint)');
    await expect(migrate({ databaseUrl, folder })).rejects.toThrow(/0001-create-thing\.sql was changed/);
  });

  it('leave nothing behind when one fails', async () => {
    const { databaseUrl } = database;
    const other = await mkdtemp(join(folder, 'failing-'));
    const file = join(other, '0001-create-half.sql');
    await writeFile(file, 'CREATE TABLE half (id int); SELECT 1 / 0');
    await expect(migrate({ databaseUrl, folder: other })).rejects.toThrow(/division by zero/);
    await writeFile(file, 'CREATE TABLE half (id int)');
    expect(await migrate({ databaseUrl, folder: other })).toEqual(['0001-create-half.sql']);
  });
});

describe('a database that does not answer', () => {
  it('is told as service.unavailable when it refuses the connection', async () => {
    await expect(
      Catalog.open({ databaseUrl: 'postgres://nobody@127.0.0.1:1/none', blobGraceMs: 0 }),
    ).rejects.toMatchObject({
      code: 'service.unavailable',
    });
  });

  it('is told as service.unavailable when it ends a connection, a statement or a wait, and works again after', async () => {
    const { databaseUrl, stop } = await startPostgres();
    const catalog = await Catalog.open({ databaseUrl, statementTimeoutMs: 200, blobGraceMs: 0 });
    for (const statement of ['SELECT pg_terminate_backend(pg_backend_pid())', 'SELECT pg_sleep(5)']) {
      const broken = catalog.transaction((transaction) => transaction.query(statement));
      await expect(broken).rejects.toMatchObject({ code: 'service.unavailable' });
    }
    await catalog.ping();
    await catalog.close();
    await expect(catalog.ping()).rejects.toMatchObject({ code: 'service.unavailable' });
    await stop();
  });
});
