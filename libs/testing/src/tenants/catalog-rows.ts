import { createHash, randomBytes } from 'node:crypto';
import {
  newId,
  type DatasetId,
  type JobFence,
  type QueryRunId,
  type ResultId,
  type TenantId,
  type UserId,
  type WrittenBlob,
} from '@millrace/domain';
import { CONVERT_JOB, PERSIST_JOB, type Catalog, type Dataset, type NewJob, type Upload } from '@millrace/catalog';

/*
 * Rows as the services make them, without the bytes: for tests of what the catalog does with them.
 */

export interface Owner {
  readonly tenantId: TenantId;
  readonly userId: UserId;
}

const LEASE_MS = 60_000;
const DAY_MS = 24 * 60 * 60_000;

export const sha256Hex = (content: string): string => createHash('sha256').update(content).digest('hex');

/** A key that is registered as being written, and what was written under it; the content is random unless given. */
export async function writeBlob(
  catalog: Catalog,
  tenantId: TenantId,
  { content = randomBytes(16).toString('hex') }: { content?: string } = {},
): Promise<WrittenBlob> {
  const storageKey = `t/${tenantId}/test/${randomBytes(12).toString('hex')}`;
  await catalog.blobs.beginWriting({ tenantId, storageKey, leaseMs: LEASE_MS });
  return { storageKey, contentHash: sha256Hex(content), sizeBytes: content.length };
}

export async function createUpload(
  catalog: Catalog,
  { tenantId, userId }: Owner,
  { content, expiresInMs = DAY_MS }: { content?: string; expiresInMs?: number } = {},
): Promise<Upload> {
  const blob = await writeBlob(catalog, tenantId, content === undefined ? {} : { content });
  return catalog.uploads.commit({ tenantId, userId, blob, contentType: 'text/csv', fileName: 'a.csv', expiresInMs });
}

export const newJob = (kind: string, attemptsMax = 3): NewJob => ({ id: newId('job'), kind, payload: {}, attemptsMax });

/** A dataset that waits for its conversion, from an upload made for it unless one is given. */
export async function createDataset(
  catalog: Catalog,
  owner: Owner,
  options: { tableName?: string; upload?: Upload; job?: NewJob } = {},
): Promise<Dataset> {
  const upload = options.upload ?? (await createUpload(catalog, owner));
  const tableName = options.tableName ?? `table_${randomBytes(6).toString('hex')}`;
  return catalog.datasets.create({
    tenantId: owner.tenantId,
    userId: owner.userId,
    id: newId('dataset'),
    versionId: newId('version'),
    label: tableName,
    tableName,
    sourceConfig: { format: 'csv' },
    source: { type: 'upload', uploadId: upload.id },
    job: options.job ?? newJob(CONVERT_JOB),
  });
}

/** Admits and starts the job that is queued under an id, and gives its fence. */
export async function startJob(
  catalog: Catalog,
  { tenantId, jobId }: Pick<JobFence, 'tenantId' | 'jobId'>,
  { leaseMs = LEASE_MS }: { leaseMs?: number } = {},
): Promise<JobFence> {
  const fence = await admitJob(catalog, { tenantId, jobId });
  if (!(await catalog.jobs.start(fence, { leaseMs }))) throw new Error(`job ${jobId} did not start`);
  return fence;
}

/** Admits whatever is queued until a job has its turn. Only for databases that no other test uses at this moment. */
export async function admitJob(
  catalog: Catalog,
  { tenantId, jobId }: Pick<JobFence, 'tenantId' | 'jobId'>,
  { leaseMs = LEASE_MS }: { leaseMs?: number } = {},
): Promise<JobFence> {
  const { kind } = await catalog.jobs.get(tenantId, jobId);
  const admitted = await catalog.jobs.admit({ kinds: [kind], admittedMax: 10_000, leaseMs });
  const own = admitted.find((job) => job.jobId === jobId);
  if (!own) throw new Error(`job ${jobId} was not admitted`);
  return { tenantId, jobId, attempt: own.attempt };
}

/** A dataset with one ready version of one file. */
export async function createReadyDataset(
  catalog: Catalog,
  owner: Owner,
  options: { tableName?: string } = {},
): Promise<Dataset> {
  const { tenantId } = owner;
  const { id, jobId } = await createDataset(catalog, owner, options);
  if (jobId === null) throw new Error('a new dataset has a job');
  const fence = await startJob(catalog, { tenantId, jobId });
  const file = { ...(await writeBlob(catalog, tenantId)), rowCount: 3 };
  const columns = [{ name: 'id', type: 'BIGINT', nullable: false }];
  await catalog.versions.commitReady(fence, {
    files: [file],
    columns,
    rowCount: 3,
    sizeBytes: file.sizeBytes,
    statistics: {},
    profile: null,
  });
  return catalog.datasets.get(tenantId, id as DatasetId);
}

/** A query that runs. */
export async function startQuery(
  catalog: Catalog,
  { tenantId, userId }: Owner,
  { leaseMs = LEASE_MS }: { leaseMs?: number } = {},
): Promise<QueryRunId> {
  const id = newId('queryRun');
  await catalog.queryRuns.create({ tenantId, userId, id, sql: 'SELECT 1', timeoutMs: 30_000, leaseMs });
  await catalog.queryRuns.start({ tenantId, id }, { leaseMs });
  return id;
}

/** A query that has answered: its result waits to be stored. */
export async function createResult(
  catalog: Catalog,
  owner: Owner,
  { leaseMs = LEASE_MS, expiresInMs = DAY_MS }: { leaseMs?: number; expiresInMs?: number } = {},
): Promise<{ readonly queryRunId: QueryRunId; readonly resultId: ResultId }> {
  const { tenantId, userId } = owner;
  const queryRunId = await startQuery(catalog, owner);
  const resultId = newId('result');
  const columns = [{ name: 'one', type: 'INTEGER', nullable: false }];
  await catalog.results.create({
    tenantId,
    userId,
    id: resultId,
    queryRunId,
    columns,
    rowCount: 1,
    sizeBytes: 100,
    leaseMs,
    expiresInMs,
  });
  return { queryRunId, resultId };
}

/** A result whose file is stored and whose `result.persist` job is queued. */
export async function createStoredResult(
  catalog: Catalog,
  owner: Owner,
  options: { expiresInMs?: number } = {},
): Promise<{ readonly resultId: ResultId; readonly job: NewJob; readonly blob: WrittenBlob }> {
  const { tenantId } = owner;
  const { resultId } = await createResult(catalog, owner, options);
  const blob = await writeBlob(catalog, tenantId);
  const job = newJob(PERSIST_JOB);
  await catalog.results.stored({ tenantId, id: resultId }, { blob, job, leaseMs: LEASE_MS });
  return { resultId, job, blob };
}
