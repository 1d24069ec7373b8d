import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Catalog } from '@millrace/catalog';
import { type Environment, parseEnvironment } from '@millrace/config';
import { migrateQueue } from '@millrace/queue';
import { createLogger } from '@millrace/telemetry';
import { eventually, freePort, startPostgres, type TestDatabase } from '@millrace/testing';
import type { ServiceParts } from './service-parts.js';
import { type ServiceDefinition, ServiceProcess } from './service-process.js';

let database: TestDatabase;
let folder: string;
let opsPort: number;
/** What happened to the service, in order. */
let events: string[];
let running: Promise<ServiceProcess> | undefined;
let ending: AbortController;

beforeEach(async () => {
  database = await startPostgres();
  folder = await mkdtemp(join(tmpdir(), 'millrace-runtime-'));
  opsPort = await freePort();
  events = [];
  running = undefined;
  ending = new AbortController();
});
afterEach(async () => {
  ending.abort(new Error('the test is over'));
  await running?.then((process) => process.close()).catch(() => undefined);
  await database.stop();
  await rm(folder, { recursive: true, force: true });
});

const environmentOf = (variables: Record<string, string> = {}): Environment =>
  parseEnvironment({ DATABASE_URL: database.databaseUrl, DATA_DIR: folder, OPS_PORT: String(opsPort), ...variables });

function start(definition: Partial<ServiceDefinition> = {}, variables: Record<string, string> = {}) {
  const logger = createLogger({ level: 'silent', service: 'test' });
  running = ServiceProcess.start(
    {
      name: 'test',
      requires: [],
      start: async () => {
        events.push('started');
        return { close: async () => void events.push('closed') };
      },
      ...definition,
    },
    { environment: environmentOf(variables), logger, signal: ending.signal },
  );
  running.catch(() => undefined);
  return running;
}

const ready = async (): Promise<{ status: number; checks: Record<string, { status: string; detail?: string }> }> => {
  const answer = await fetch(`http://127.0.0.1:${opsPort}/readyz`).catch(() => undefined);
  const { checks } = answer
    ? ((await answer.json()) as { checks: Record<string, { status: string }> })
    : { checks: {} };
  return { status: answer?.status ?? 0, checks };
};

async function migrateAll(): Promise<void> {
  const catalog = await Catalog.open({ databaseUrl: database.databaseUrl, blobGraceMs: 0 });
  await catalog.migrate();
  await catalog.close();
  await migrateQueue({ kind: 'postgres', databaseUrl: database.databaseUrl });
}

describe('a process of a service', () => {
  it('waits for what it needs, and says meanwhile what is missing', async () => {
    const process = start();
    await eventually('it misses the tables', async () =>
      (await ready()).checks['migrations']?.detail?.includes('0001'),
    );
    expect(await ready()).toMatchObject({
      status: 503,
      checks: { postgres: { status: 'up' }, queue: { status: 'down' } },
    });
    expect(events).toEqual([]);
    await migrateAll();
    await process;
    expect(events).toEqual(['started']);
    expect((await ready()).status).toBe(200);
  });

  it('is there before Postgres is, and names it', async () => {
    void start({}, { DATABASE_URL: 'postgres://nobody@127.0.0.1:9/nothing' });
    await eventually('it misses Postgres', async () => (await ready()).checks['postgres']?.status === 'down');
    expect(await fetch(`http://127.0.0.1:${opsPort}/livez`)).toMatchObject({ status: 200 });
    ending.abort(new Error('a signal came'));
    await expect(running).rejects.toThrow('a signal came');
  });

  it('tries its start again when something went away in between', async () => {
    await migrateAll();
    const process = start({
      start: async () => {
        events.push('tried');
        if (events.length === 1) throw new Error('Postgres went away.');
        return { close: async () => undefined };
      },
    });
    await process;
    expect(events).toEqual(['tried', 'tried']);
  });

  it('refuses to start without a setting that it needs, and names it', async () => {
    await expect(start({ requires: ['INTERNAL_SECRET'] })).rejects.toThrow('INTERNAL_SECRET: this service needs it.');
    expect((await ready()).status).toBe(0);
  });

  it('is not ready for a while before its service ends, and closes what the service used after it', async () => {
    await migrateAll();
    let parts: ServiceParts | undefined;
    const process = await start(
      {
        start: async (given) => {
          parts = given;
          return {
            close: async () => {
              await given.catalog.ping();
              events.push('closed');
            },
          };
        },
      },
      { DRAIN_DELAY_MS: '400' },
    );
    const closed = process.close();
    expect(await ready()).toMatchObject({ status: 503, checks: { postgres: { status: 'up' } } });
    expect(events).toEqual([]);
    await closed;
    expect(events).toEqual(['closed']);
    await expect(parts?.catalog.ping()).rejects.toThrow();
    expect((await ready()).status).toBe(0);
  });

  it('shows the pages of its service', async () => {
    await migrateAll();
    await start({ pages: ({ environment }) => ({ '/internal/port': async () => ({ port: environment.OPS_PORT }) }) });
    const answer = await fetch(`http://127.0.0.1:${opsPort}/internal/port`);
    await expect(answer.json()).resolves.toEqual({ port: opsPort });
  });
});
