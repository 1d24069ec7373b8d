import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DomainEvent, EventBus, TenantId } from '@millrace/domain';
import { BlobWriter, FolderObjectStore } from '@millrace/object-store';
import { createLogger } from '@millrace/telemetry';
import {
  createResult,
  createTenant,
  eventually,
  FaultyObjectStore,
  openCatalog,
  type TestCatalog,
} from '@millrace/testing';
import { OpenWork } from '../open-work.js';
import { ResultKeeper } from './result-keeper.js';
import { ResultWriter, type ResultFile } from './result-writer.js';

const leaseMs = 60_000;

describe('the keeper of results', () => {
  let folder: string;
  let database: TestCatalog;
  let store: FaultyObjectStore;
  let tenantId: TenantId;
  const published: DomainEvent[] = [];
  const events: EventBus = {
    publish: async (event) => void published.push(event),
    subscribe: async () => () => undefined,
  };

  beforeAll(async () => {
    database = await openCatalog();
    folder = await mkdtemp(join(tmpdir(), 'millrace-results-'));
    store = new FaultyObjectStore(await new FolderObjectStore(folder).open());
  });
  afterAll(async () => {
    await database.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const isThere = (path: string): Promise<boolean> =>
    access(path).then(
      () => true,
      () => false,
    );
  const createKeeper = (limits: { countMax: number; bytesMax: number }): ResultKeeper => {
    const { results, blobs } = database.catalog;
    const writer = new ResultWriter({ results, blobs, leaseMs, writer: new BlobWriter(store, blobs, { leaseMs }) });
    const logger = createLogger({ level: 'silent', service: 'test' });
    const work = new OpenWork();
    return new ResultKeeper({ results, writer, events, work, leaseMs, retentionMs: leaseMs, logger }, limits);
  };

  const newFile = async (content: string): Promise<ResultFile> => {
    const { admin } = await createTenant(database.catalog);
    tenantId = admin.principal.tenantId;
    const { resultId } = await createResult(database.catalog, admin.principal);
    const path = join(folder, `${resultId}.parquet`);
    await writeFile(path, content);
    return { tenantId, resultId, path, sizeBytes: content.length };
  };

  const settled = (file: ResultFile) =>
    eventually('the result is stored or has failed', async () => {
      const result = await database.catalog.results.get(file.tenantId, file.resultId);
      return (result.status === 'failed' || result.storageKey !== null) && result;
    });

  it.each([
    ['many', { countMax: 1, bytesMax: 1_000 }],
    ['large', { countMax: 10, bytesMax: 15 }],
  ])('gives a result up at once when too %s wait for the store, and says so', async (_, limits) => {
    const keeper = createKeeper(limits);
    const held = store.hold('putFile');
    const [first, second] = [await newFile('first file'), await newFile('second file')];
    expect(keeper.keep(first)).toEqual([]);
    expect(keeper.pendingCount).toBe(1);
    expect(keeper.keep(second)).toEqual([expect.stringContaining('not kept')]);
    expect(await settled(second)).toMatchObject({ status: 'failed', error: { code: 'storage.unavailable' } });
    const event = { type: 'result.settled', tenantId, resultId: second.resultId, status: 'failed' };
    await eventually('it is told', () => published.length > 0);
    expect(published.splice(0)).toEqual([event]);
    await held.arrived;
    held.release();
    expect(await settled(first)).toMatchObject({ status: 'processing', storageKey: expect.any(String) });
    for (const { path } of [first, second]) {
      await eventually('the local file is gone', async () => !(await isThere(path)));
    }
    expect(keeper.pendingCount).toBe(0);
  });
});
