import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import type { Dataset, Result } from '@millrace/catalog';
import type { Principal, ResultId } from '@millrace/domain';
import { BlobWriter, objectKeys } from '@millrace/object-store';
import { createDataset, eventually, startJob } from '@millrace/testing';
import type { QueryServiceHarness } from './query-service-harness.js';

const GiB = 1024 ** 3;
const LEASE_MS = 60_000;

/** A dataset with one ready version that holds the rows of a SELECT, as a conversion would leave it. */
export async function createTable(
  { catalog, store, engine }: QueryServiceHarness,
  { tenantId, userId }: Principal,
  { sql, name = `table_${randomBytes(6).toString('hex')}` }: { sql: string; name?: string },
): Promise<Dataset> {
  const limits = { rowsMax: 1, answerBytesMax: 1_000, resultBytesMax: GiB };
  const made = await engine.run({ kind: 'query', sql, inputs: [], ...limits }, { tenantId, deadlineMs: 60_000 });
  const dataset = await createDataset(catalog, { tenantId, userId }, { tableName: name });
  const { id: datasetId, latestVersionId: versionId, jobId } = dataset;
  if (jobId === null) throw new Error('a new dataset has a job');
  const storageKey = objectKeys.datasetFile({ tenantId, datasetId, versionId, fileIndex: 0 });
  const writer = new BlobWriter(store, catalog.blobs, { leaseMs: LEASE_MS });
  const blob = await writer.writeFile({ tenantId, storageKey }, { path: made.filePath });
  await rm(made.filePath);
  const { rowCount, columns } = made;
  const fence = await startJob(catalog, { tenantId, jobId });
  await catalog.versions.commitReady(fence, {
    files: [{ ...blob, rowCount }],
    columns,
    rowCount,
    sizeBytes: blob.sizeBytes,
    statistics: {},
    profile: null,
  });
  return catalog.datasets.get(tenantId, datasetId);
}

/** Waits until the file of a result is stored, then makes it ready as the maintenance worker would. */
export async function makeReady(harness: QueryServiceHarness, caller: Principal, id: unknown): Promise<Result> {
  const { catalog } = harness;
  const { tenantId } = caller;
  const resultId = id as ResultId;
  const jobId = await eventually(
    `result ${resultId} is stored`,
    async () => (await catalog.results.get(tenantId, resultId)).jobId,
  );
  const fence = await startJob(catalog, { tenantId, jobId });
  await catalog.results.commitReady(fence, { statistics: {} });
  return catalog.results.get(tenantId, resultId);
}
