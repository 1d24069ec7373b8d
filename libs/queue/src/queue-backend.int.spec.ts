import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DroppingServer } from '@millrace/testing';
import { TestPostgres } from '../test/test-postgres.js';
import { migrateQueue, openSender } from './queue-backend.js';

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

describe('a connection that ends while nobody waits for an answer on it', () => {
  let postgres: TestPostgres;
  let dropping: { server: DroppingServer; databaseUrl: string };

  beforeAll(async () => {
    postgres = new TestPostgres();
    dropping = await DroppingServer.before(await postgres.createDatabase());
  });
  afterAll(async () => {
    await dropping.server.close();
    await postgres.stop();
  });

  it('fails the work of a sender and not its process', async () => {
    await expect(openSender(dropping.databaseUrl, ['convert'], silent)).rejects.toThrow();
  });

  it('fails a migration and not its process', async () => {
    await expect(migrateQueue(dropping.databaseUrl)).rejects.toThrow();
  });
});
