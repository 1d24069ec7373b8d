import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ResultRepository } from '@millrace/catalog';
import { DomainError, type ResultId, type TenantId } from '@millrace/domain';
import { BlobWriter, FolderObjectStore } from '@millrace/object-store';
import { createResult, createTenant, FaultyObjectStore, openCatalog, type TestCatalog } from '@millrace/testing';
import { ResultWriter, type ResultFile } from './result-writer.js';

const leaseMs = 60_000;
const never = new AbortController().signal;
const unavailable = (): Error => new DomainError('service.unavailable', 'The database fails on purpose.');

describe('the writer of results', () => {
  let folder: string;
  let database: TestCatalog;
  let store: FaultyObjectStore;
  let tenantId: TenantId;

  beforeAll(async () => {
    database = await openCatalog();
    folder = await mkdtemp(join(tmpdir(), 'millrace-results-'));
    store = new FaultyObjectStore(await new FolderObjectStore(folder).open());
  });
  afterAll(async () => {
    await database.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** The catalog's results, of which one call fails once: before or after it has done its work. */
  const failingOnce = (when: 'before' | 'after'): ResultRepository => {
    const { results } = database.catalog;
    let isDue = true;
    const stored: ResultRepository['stored'] = async (...args) => {
      const fails = isDue;
      isDue = false;
      if (fails && when === 'before') throw unavailable();
      await results.stored(...args);
      if (fails) throw unavailable();
    };
    return Object.assign(Object.create(results) as ResultRepository, { stored });
  };

  const writerOn = (results: ResultRepository): ResultWriter => {
    const { blobs } = database.catalog;
    return new ResultWriter({ results, blobs, leaseMs, writer: new BlobWriter(store, blobs, { leaseMs }) });
  };

  const newFile = async (content: string): Promise<ResultFile> => {
    const { admin } = await createTenant(database.catalog);
    tenantId = admin.principal.tenantId;
    const { resultId } = await createResult(database.catalog, admin.principal);
    const path = join(folder, `${resultId}.parquet`);
    await writeFile(path, content);
    return { tenantId, resultId, path, sizeBytes: content.length };
  };

  const blobOf = async (id: ResultId) => {
    const { storageKey } = await database.catalog.results.get(tenantId, id);
    return database.catalog.blobs.find({ tenantId, storageKey: storageKey ?? '' });
  };

  it('tries again when the catalog did not take the file', async () => {
    const file = await newFile('taken the second time');
    await writerOn(failingOnce('before')).write(file, never);
    expect(await blobOf(file.resultId)).toMatchObject({ status: 'live', referenceCount: 1 });
    const given = await database.catalog.blobs.takeDue({ limit: 10 });
    expect(given.filter((key) => key.tenantId === tenantId)).toHaveLength(1);
  });

  it('keeps the file that the catalog took although it did not say so', async () => {
    const file = await newFile('taken in silence');
    await writerOn(failingOnce('after')).write(file, never);
    const blob = await blobOf(file.resultId);
    expect(blob).toMatchObject({ status: 'live', referenceCount: 1 });
    expect(await store.find(blob?.storageKey ?? '')).toBeDefined();
    expect(await database.catalog.blobs.takeDue({ limit: 10 })).toEqual([]);
  });

  it('does not go on with a result that has failed', async () => {
    const file = await newFile('too late');
    await database.catalog.results.fail({ tenantId, id: file.resultId }, { code: 'result.lost', detail: 'Lost.' });
    await expect(writerOn(database.catalog.results).write(file, never)).rejects.toMatchObject({ code: 'result.lost' });
  });

  it('stops when it is told to', async () => {
    const file = await newFile('aborted');
    const stop = new AbortController();
    const held = store.hold('putFile');
    const writing = writerOn(database.catalog.results).write(file, stop.signal);
    await held.arrived;
    const reason = new DomainError('service.unavailable', 'The service is shutting down.');
    stop.abort(reason);
    await expect(writing).rejects.toBe(reason);
    held.release();
  });
});
