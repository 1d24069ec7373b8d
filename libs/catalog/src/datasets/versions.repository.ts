import {
  DEFAULT_TENANT_LIMITS,
  versionLifecycle,
  type Column,
  type DatasetId,
  type JobFence,
  type TenantId,
  type TableProfile,
  type TenantLimits,
  type UploadId,
  type VersionId,
  type WrittenBlob,
} from '@millrace/domain';
import type { BlobReferences } from '../blobs/blob-references.js';
import type { Database, Transaction } from '../database/database.js';
import { findRow, NOW, rowsOf } from '../database/sql.js';
import { transition } from '../database/transition.js';
import { attemptLost, cancelJob, lockFence, succeedJob } from '../jobs/job-attempt.js';
import { VersionEntity } from '../schema/dataset.entity.js';
import { jsonObject, type JsonObject } from '../schema/json.js';
import { limitOverrides } from '../schema/tenant.entity.js';
import { findConversionKey } from './converted-before.js';
import { useUpSource } from './use-up-source.js';

/** What a conversion starts from. */
export interface Conversion {
  readonly tenantId: TenantId;
  readonly datasetId: DatasetId;
  readonly versionId: VersionId;
  readonly source: {
    readonly storageKey: string;
    readonly contentHash: string;
    readonly sizeBytes: number;
    /** Null for inline sources and where the uploader said nothing. */
    readonly contentType: string | null;
    readonly contentEncoding: string | null;
    readonly fileName: string | null;
  };
  /** Format, options and pinned columns, as the dataset was made with. */
  readonly sourceConfig: JsonObject;
  readonly limits: TenantLimits;
}

export interface ConvertedFile extends WrittenBlob {
  readonly rowCount: number;
}

export interface ConvertedVersion {
  /** In the order of their rows; written under keys that `blobs.beginWriting` registered. */
  readonly files: readonly ConvertedFile[];
  readonly columns: readonly Column[];
  readonly rowCount: number;
  readonly sizeBytes: number;
  readonly statistics: JsonObject;
  /** What its values are like; null when nobody knows. */
  readonly profile: TableProfile | null;
  /** How the source was read, and by which converter; undefined when nobody is to have the same table again. */
  readonly readingKey?: string | undefined;
}

/** A dataset that was deleted meanwhile makes a finished conversion worthless. */
export type CommitOutcome = 'committed' | 'cancelled';

/** The immutable states of datasets. */
export class VersionRepository {
  constructor(
    private readonly database: Database,
    private readonly references: BlobReferences,
  ) {}

  /** @throws DomainError `job.lost` when the attempt is not the current one */
  async getForConversion(fence: JobFence): Promise<Conversion> {
    const row = await this.database.run((manager) =>
      findRow<ConversionRow>(manager, SELECT_CONVERSION, [fence.tenantId, fence.jobId, fence.attempt]),
    );
    if (!row) throw attemptLost();
    const { datasetId, versionId, sourceConfig, limits, ...source } = row;
    return {
      tenantId: fence.tenantId,
      datasetId,
      versionId,
      source,
      sourceConfig: jsonObject.parse(sourceConfig),
      limits: { ...DEFAULT_TENANT_LIMITS, ...limitOverrides.parse(limits) },
    };
  }

  /**
   * Ends a conversion: in one transaction the files become the version's, the version becomes ready and the head of
   * its dataset, the source is used up and the job has succeeded.
   *
   * @returns `cancelled` when the dataset was deleted meanwhile: the files are dropped and the job is cancelled
   * @throws DomainError `job.lost` when the attempt is not the current one: nothing has changed
   */
  async commitReady(fence: JobFence, converted: ConvertedVersion): Promise<CommitOutcome> {
    return this.database.transaction(async (transaction) => {
      const job = await lockFence(transaction, fence);
      const version = await lockVersion(transaction, fence);
      if (!version || version.deleted) {
        await this.drop(transaction, fence.tenantId, converted.files);
        await cancelJob(transaction, this.references, job);
        return 'cancelled';
      }
      const { readingKey } = converted;
      const conversionKey = await findConversionKey(transaction, { ...version, readingKey });
      await makeReady(transaction, version, { ...converted, conversionKey });
      await this.attachFiles(transaction, version, converted.files);
      await useUpSource(transaction, this.references, version);
      await succeedJob(transaction, job);
      return 'committed';
    });
  }

  /** The profile of a version as it was written with it; null when there is none. */
  async findProfile(tenantId: TenantId, versionId: VersionId): Promise<JsonObject | null> {
    const row = await this.database.run((manager) =>
      findRow<{ profile: unknown }>(manager, 'SELECT profile FROM dataset_versions WHERE tenant_id = $1 AND id = $2', [
        tenantId,
        versionId,
      ]),
    );
    return jsonObject.nullable().parse(row?.profile ?? null);
  }

  private async drop(transaction: Transaction, tenantId: TenantId, files: readonly ConvertedFile[]): Promise<void> {
    for (const { storageKey } of files) await this.references.abandonWriting(transaction, tenantId, storageKey);
  }

  private async attachFiles(
    transaction: Transaction,
    { tenantId, id }: LockedVersion,
    files: readonly ConvertedFile[],
  ): Promise<void> {
    const positioned = files.map((file, position) => ({ file, position }));
    positioned.sort((a, b) => a.file.contentHash.localeCompare(b.file.contentHash));
    for (const { file, position } of positioned) {
      const { storageKey } = await this.references.commitWritten(transaction, tenantId, file);
      await transaction.query(
        `INSERT INTO version_files (tenant_id, version_id, position, storage_key, row_count)
         VALUES ($1, $2, $3, $4, $5)`,
        [tenantId, id, position, storageKey, file.rowCount],
      );
    }
  }
}

interface ConversionRow {
  readonly datasetId: DatasetId;
  readonly versionId: VersionId;
  readonly storageKey: string;
  readonly contentHash: string;
  readonly sizeBytes: number;
  readonly contentType: string | null;
  readonly contentEncoding: string | null;
  readonly fileName: string | null;
  readonly sourceConfig: unknown;
  readonly limits: unknown;
}

const SELECT_CONVERSION = `SELECT v.dataset_id AS "datasetId", v.id AS "versionId", b.storage_key AS "storageKey",
    b.content_hash AS "contentHash", b.size_bytes AS "sizeBytes", u.content_type AS "contentType",
    u.content_encoding AS "contentEncoding", u.file_name AS "fileName", v.source_config AS "sourceConfig", t.limits
  FROM jobs j
  JOIN tenants t ON t.tenant_id = j.tenant_id
  JOIN dataset_versions v ON v.tenant_id = j.tenant_id AND v.job_id = j.id AND v.status = 'processing'
  LEFT JOIN uploads u ON u.tenant_id = v.tenant_id AND u.id = v.upload_id
  JOIN blobs b ON b.tenant_id = v.tenant_id AND b.storage_key = coalesce(u.storage_key, v.raw_storage_key)
  WHERE j.tenant_id = $1 AND j.id = $2 AND j.attempt = $3 AND j.status = 'running'`;

interface LockedVersion {
  readonly tenantId: TenantId;
  readonly id: VersionId;
  readonly datasetId: DatasetId;
  readonly uploadId: UploadId | null;
  readonly rawStorageKey: string | null;
  /** Whether the dataset was deleted. */
  readonly deleted: boolean;
}

/** Locks a version and its dataset: numbers are given one after the other, and a deletion comes before or after. */
function lockVersion(transaction: Transaction, { tenantId, jobId }: JobFence): Promise<LockedVersion | undefined> {
  return findRow<LockedVersion>(
    transaction,
    `SELECT v.tenant_id AS "tenantId", v.id, v.dataset_id AS "datasetId", v.upload_id AS "uploadId",
       v.raw_storage_key AS "rawStorageKey", d.deleted_at IS NOT NULL AS deleted
     FROM datasets d JOIN dataset_versions v ON v.tenant_id = d.tenant_id AND v.dataset_id = d.id
     WHERE v.tenant_id = $1 AND v.job_id = $2 AND v.status = 'processing' FOR UPDATE`,
    [tenantId, jobId],
  );
}

async function makeReady(
  transaction: Transaction,
  { tenantId, id, datasetId }: LockedVersion,
  {
    columns,
    rowCount,
    sizeBytes,
    statistics,
    profile,
    conversionKey,
  }: ConvertedVersion & { readonly conversionKey: string | null },
): Promise<void> {
  const number = await nextNumber(transaction, tenantId, datasetId);
  await transition(transaction, {
    entity: VersionEntity,
    lifecycle: versionLifecycle,
    where: { tenantId, id },
    to: 'ready',
    set: {
      number,
      columns,
      rowCount,
      sizeBytes,
      statistics,
      profile,
      conversionKey,
      endedAt: NOW,
      rawStorageKey: null,
    },
  });
  await rowsOf(
    transaction,
    'UPDATE datasets SET head_version_id = $3, updated_at = now() WHERE tenant_id = $1 AND id = $2',
    [tenantId, datasetId, id],
  );
}

async function nextNumber(transaction: Transaction, tenantId: TenantId, datasetId: DatasetId): Promise<number> {
  const row = await findRow<{ number: number }>(
    transaction,
    `SELECT coalesce(max(number), 0) + 1 AS number FROM dataset_versions WHERE tenant_id = $1 AND dataset_id = $2`,
    [tenantId, datasetId],
  );
  return row?.number ?? 1;
}
