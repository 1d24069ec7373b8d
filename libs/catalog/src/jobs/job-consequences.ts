import {
  queryRunLifecycle,
  resultLifecycle,
  uploadLifecycle,
  versionLifecycle,
  type DatasetId,
  type ErrorRecord,
  type JobId,
  type ResultId,
  type TenantId,
  type UploadId,
  type VersionId,
} from '@millrace/domain';
import type { BlobReferences } from '../blobs/blob-references.js';
import type { Transaction } from '../database/database.js';
import { findRow, NOW, rowsOf } from '../database/sql.js';
import { transition } from '../database/transition.js';
import { ENDED, QUERY_CANCELLED, QUERY_LOST } from '../queries/query-run-rows.js';
import { VersionEntity } from '../schema/dataset.entity.js';
import { QueryRunEntity } from '../schema/query-run.entity.js';
import { ResultEntity } from '../schema/result.entity.js';
import { UploadEntity } from '../schema/upload.entity.js';

/** The kinds of jobs whose end means something for what they work on. */
export const CONVERT_JOB = 'dataset.convert';
export const PERSIST_JOB = 'result.persist';
export const QUERY_JOB = 'query.run';

/** How long an upload stays usable at least after its conversion failed, so that the person can try again. */
const RETRY_PERIOD = '1 hour';

interface EndedJob {
  readonly tenantId: TenantId;
  readonly id: JobId;
  readonly kind: string;
}

type Consequence = (
  transaction: Transaction,
  references: BlobReferences,
  ended: EndedJob & { readonly error: ErrorRecord },
) => Promise<void>;

const CONSEQUENCES: Readonly<Record<string, Consequence>> = {
  [CONVERT_JOB]: failConversion,
  [PERSIST_JOB]: failPersistence,
  [QUERY_JOB]: failQueryRun,
};

/** What a job's final failure or cancellation means for the thing it worked on, in the transaction that ends the job. */
export async function carryOutConsequences(
  transaction: Transaction,
  references: BlobReferences,
  { job, error }: { job: EndedJob; error: ErrorRecord },
): Promise<void> {
  const { tenantId, id, kind } = job;
  await CONSEQUENCES[kind]?.(transaction, references, { tenantId, id, kind, error });
}

/** What a next attempt means for the thing a job works on: a query waits again. */
export async function carryOutRetry(
  transaction: Transaction,
  { tenantId, id: jobId, kind }: Pick<EndedJob, 'tenantId' | 'id' | 'kind'>,
): Promise<void> {
  if (kind !== QUERY_JOB) return;
  await transition(transaction, {
    entity: QueryRunEntity,
    lifecycle: queryRunLifecycle,
    where: { tenantId, jobId },
    to: 'queued',
    set: { startedAt: null },
  });
}

interface ConvertedVersion {
  readonly id: VersionId;
  readonly datasetId: DatasetId;
  readonly uploadId: UploadId | null;
  readonly rawStorageKey: string | null;
}

/** The version fails with the reason; the upload can be used again, inline bytes go; the dataset gives its name back. */
async function failConversion(
  transaction: Transaction,
  references: BlobReferences,
  { tenantId, id: jobId, error }: EndedJob & { error: ErrorRecord },
): Promise<void> {
  const version = await findRow<ConvertedVersion>(
    transaction,
    `SELECT id, dataset_id AS "datasetId", upload_id AS "uploadId", raw_storage_key AS "rawStorageKey"
     FROM dataset_versions WHERE tenant_id = $1 AND job_id = $2 AND status = 'processing'`,
    [tenantId, jobId],
  );
  if (!version) return;
  await rowsOf(
    transaction,
    `UPDATE datasets SET holds_name = false, updated_at = now()
     WHERE tenant_id = $1 AND id = $2 AND head_version_id IS NULL`,
    [tenantId, version.datasetId],
  );
  await transition(transaction, {
    entity: VersionEntity,
    lifecycle: versionLifecycle,
    where: { tenantId, id: version.id },
    to: 'failed',
    set: { error, endedAt: NOW, rawStorageKey: null },
  });
  if (version.uploadId) await returnUpload(transaction, { tenantId, id: version.uploadId, error });
  if (version.rawStorageKey) await references.release(transaction, tenantId, version.rawStorageKey);
}

async function returnUpload(
  transaction: Transaction,
  { tenantId, id, error }: { tenantId: TenantId; id: UploadId; error: ErrorRecord },
): Promise<void> {
  await transition(transaction, {
    entity: UploadEntity,
    lifecycle: uploadLifecycle,
    where: { tenantId, id },
    to: 'pending',
    set: { error, expiresAt: () => `greatest(expires_at, now() + interval '${RETRY_PERIOD}')` },
  });
}

/** The result fails with the reason and its file goes. The rows were delivered long ago. */
async function failPersistence(
  transaction: Transaction,
  references: BlobReferences,
  { tenantId, id: jobId, error }: EndedJob & { error: ErrorRecord },
): Promise<void> {
  const result = await findRow<{ id: ResultId }>(
    transaction,
    'SELECT id FROM results WHERE tenant_id = $1 AND job_id = $2',
    [tenantId, jobId],
  );
  if (result) await failResult(transaction, references, { tenantId, id: result.id, from: 'processing', error });
}

/** The run ends as its job does, in the words of queries. */
async function failQueryRun(
  transaction: Transaction,
  _references: BlobReferences,
  { tenantId, id: jobId, error }: EndedJob & { error: ErrorRecord },
): Promise<void> {
  const isCancelled = error.code === 'job.cancelled';
  const said = error.code === 'job.lost' ? QUERY_LOST : error;
  await transition(transaction, {
    entity: QueryRunEntity,
    lifecycle: queryRunLifecycle,
    where: { tenantId, jobId },
    to: isCancelled ? 'cancelled' : 'failed',
    set: { ...ENDED, error: isCancelled ? QUERY_CANCELLED : said },
  });
}

export interface FailedResult {
  readonly tenantId: TenantId;
  readonly id: ResultId;
  readonly from: 'processing' | 'ready';
  readonly error: ErrorRecord;
}

/** Fails a result and gives its file's reference back. Returns false when it is not in the state it was thought in. */
export async function failResult(
  transaction: Transaction,
  references: BlobReferences,
  { tenantId, id, from, error }: FailedResult,
): Promise<boolean> {
  const held = await findRow<{ storageKey: string | null }>(
    transaction,
    'SELECT storage_key AS "storageKey" FROM results WHERE tenant_id = $1 AND id = $2 FOR UPDATE',
    [tenantId, id],
  );
  const failed = await transition(transaction, {
    entity: ResultEntity,
    lifecycle: resultLifecycle,
    where: { tenantId, id },
    from: [from],
    to: 'failed',
    set: { error, storageKey: null, leaseUntil: null },
  });
  if (failed && held?.storageKey) await references.release(transaction, tenantId, held.storageKey);
  return failed;
}
