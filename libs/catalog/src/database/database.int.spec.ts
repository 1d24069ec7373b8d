import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BreakingProxy, openCatalog, type TestCatalog } from '@millrace/testing';
import { Database, type Transaction } from './database.js';

describe('a connection that breaks', () => {
  let open: TestCatalog;

  beforeAll(async () => {
    open = await openCatalog({ statementTimeoutMs: 5_000 });
  });
  afterAll(() => open.stop());

  const terminate = async (pid: number): Promise<void> => {
    // It waits, up to 5 s, until the backend has ended.
    await open.catalog.transaction((other) => other.query('SELECT pg_terminate_backend($1, 5000)', [pid]));
  };

  it.each(['before the next statement', 'with nothing left to do but to commit'] as const)(
    'in a transaction, %s, is service.unavailable',
    async (when) => {
      const work = open.catalog.transaction(async (transaction) => {
        const [{ pid }] = (await transaction.query('SELECT pg_backend_pid() AS pid')) as [{ pid: number }];
        await terminate(pid);
        if (when === 'before the next statement') await transaction.query('SELECT 1');
      });
      await expect(work).rejects.toMatchObject({ code: 'service.unavailable', retryable: true });
    },
  );
});

describe('connections that end in the moment in which they stand', () => {
  it('fail what they were made for and not the process', async () => {
    const open = await openCatalog();
    const proxy = await BreakingProxy.start(open.databaseUrl, { connection: 'every', answer: 1, how: 'told' });
    const { databaseUrl } = proxy;
    try {
      await expect(Database.open({ databaseUrl })).rejects.toMatchObject({ code: 'service.unavailable' });
    } finally {
      await proxy.stop();
      await open.stop();
    }
  });
});

describe('a commit', () => {
  it('waits for the disk, unless it may be lost', async () => {
    const open = await openCatalog({});
    // Elsewhere the databases of tests do without.
    await open.catalog.transaction((transaction) =>
      transaction.query(`DO $$ BEGIN
        EXECUTE format('ALTER DATABASE %I SET synchronous_commit = on', current_database());
      END $$`),
    );
    const database = await Database.open({ databaseUrl: open.databaseUrl });
    const shown = (manager: Transaction): Promise<unknown> => manager.query('SHOW synchronous_commit');
    try {
      expect(await database.run(shown)).toEqual([{ synchronous_commit: 'on' }]);
      expect(await database.transaction(shown)).toEqual([{ synchronous_commit: 'on' }]);
      expect(await database.runRelaxed(shown)).toEqual([{ synchronous_commit: 'off' }]);
    } finally {
      await database.close();
      await open.stop();
    }
  });
});

describe('a text that can not be kept', () => {
  let open: TestCatalog;

  beforeAll(async () => {
    open = await openCatalog({});
  });
  afterAll(() => open.stop());

  it.each([
    ['a NUL in a text', 'SELECT $1::text', 'a\0b'],
    ['a NUL in JSON', 'SELECT $1::jsonb', JSON.stringify('\0')],
    ['half of a character in JSON', 'SELECT $1::jsonb', '"\\ud800"'],
  ])('is request.invalid: %s', async (_, sql, parameter) => {
    const work = open.catalog.transaction((transaction) => transaction.query(sql, [parameter]));
    await expect(work).rejects.toMatchObject({ code: 'request.invalid', retryable: false });
  });
});
