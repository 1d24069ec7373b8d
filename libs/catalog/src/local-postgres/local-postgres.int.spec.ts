import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { chmod, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { LocalPostgres, type LocalPostgresOptions } from './local-postgres.js';

const WAIT_MAX_MS = 30_000;

describe('LocalPostgres', () => {
  let folder: string;
  let servers: LocalPostgres[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-local-postgres-'));
    await chmod(folder, 0o711);
    servers = [];
  });
  afterEach(async () => {
    for (const server of servers) await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const start = async (name: string, options: Partial<LocalPostgresOptions> = {}): Promise<LocalPostgres> => {
    const server = await LocalPostgres.start({ folder: join(folder, name), settings: ['fsync=off'], ...options });
    servers.push(server);
    return server;
  };
  const pidFile = (name: string): string => join(folder, name, 'data', 'postmaster.pid');
  const pidOf = async (name: string): Promise<number> => Number((await readFile(pidFile(name), 'utf8')).split('\n')[0]);

  it('is started again, with its address and data, when it is killed', async () => {
    const ends: string[] = [];
    const server = await start('killed', { onUnexpectedEnd: (how) => ends.push(how) });
    await query(server, 'CREATE TABLE kept AS SELECT 1 AS n');
    for (let kills = 1; kills <= 2; kills += 1) {
      process.kill(await pidOf('killed'), 'SIGKILL');
      await expect(answerOf(server, 'SELECT n FROM kept')).resolves.toEqual([{ n: 1 }]);
      expect(ends).toHaveLength(kills);
    }
    await server.stop();
    expect(ends).toEqual(['signal SIGKILL', 'signal SIGKILL']);
    await expect(query(server, 'SELECT 1')).rejects.toThrow('ECONNREFUSED');
  });

  it('says so when it can not be started again', async () => {
    const lost = Promise.withResolvers<Error>();
    await start('lost', { onLost: lost.resolve, restartTriesMs: 0 });
    const pid = await pidOf('lost');
    await rename(join(folder, 'lost', 'data'), join(folder, 'lost', 'away'));
    process.kill(pid, 'SIGKILL');
    const { message } = await lost.promise;
    expect(message).toContain('Postgres ended with signal SIGKILL and could not be started again');
    expect(message).toContain(join(folder, 'lost', 'postgres.log'));
  });

  it('is stopped even when it has just been killed and is on its way up again', async () => {
    const server = await start('stopped', {});
    process.kill(await pidOf('stopped'), 'SIGKILL');
    await server.stop();
    // A helper that the killed server had just forked may hold the port until it notices, and resets who comes.
    await expect(query(server, 'SELECT 1')).rejects.toThrow(/ECONNREFUSED|ECONNRESET/);
  });

  it('leaves alone another server whose process id stands in its own old file', async () => {
    const other = await start('other');
    const server = await start('own');
    await server.stop();
    await mkdir(join(folder, 'own', 'data'), { recursive: true });
    await writeFile(pidFile('own'), (await readFile(pidFile('other'), 'utf8')).replace('/other/', '/own/'));
    // Postgres itself is careful here, and asks for the file to be removed.
    await expect(start('own')).rejects.toThrow('postgres.log');
    await expect(query(other, 'SELECT 1 AS n')).resolves.toEqual([{ n: 1 }]);
  });
});

async function query(server: LocalPostgres, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: server.databaseUrl() });
  // A server that is killed breaks the connection, which is what the test wants.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.query<object>(sql)).rows;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** The answer once the server gives one. */
async function answerOf(server: LocalPostgres, sql: string): Promise<unknown[]> {
  for (const deadline = Date.now() + WAIT_MAX_MS; ; await sleep(50)) {
    try {
      return await query(server, sql);
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
  }
}
