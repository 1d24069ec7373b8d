import {
  DomainError,
  type DatasetId,
  type IdempotencyClaim,
  type JobId,
  type TenantId,
  type UploadId,
  type UserId,
  type WrittenBlob,
} from '@millrace/domain';
import type { BlobReferences } from '../blobs/blob-references.js';
import type { Database, Transaction } from '../database/database.js';
import { cutPage, pageRows, type Page, type PageRequest } from '../database/page.js';
import { findRow, fromNow, likeLiteral, NOW, rowsOf } from '../database/sql.js';
import { updateRow } from '../database/transition.js';
import { bindEffect } from '../idempotency/bind-effect.js';
import { lockJob, requestCancel, type AttemptEnd } from '../jobs/job-attempt.js';
import { insertJob, type NewJob } from '../jobs/outbox.js';
import { DatasetEntity } from '../schema/dataset.entity.js';
import { SELECT_DATASETS, toDataset, type Dataset, type DatasetJoinRow } from './dataset.js';
import { insertProcessing, insertReady, type DatasetRowValues } from './dataset-rows.js';
import { takeConverted } from './converted-before.js';
import { takeResultTable, type ResultClaim } from './result-table.js';
import { listTables, type TableListing } from './table-list.js';
import { resolveTables, type ResolvedTable } from './table-resolution.js';
import { findSimilarNames, tableNameTaken } from './table-names.js';
import { claimUpload } from './upload-claim.js';
import { useUpSource } from './use-up-source.js';

export type DatasetSource =
  | {
      readonly type: 'upload';
      readonly uploadId: UploadId;
      /** Only an upload of this user may be used; admins name nobody. */
      readonly onlyUserId?: UserId | undefined;
    }
  /** Bytes that came with the request, already written under a registered key. */
  | { readonly type: 'inline'; readonly blob: WrittenBlob };

/** The ids are made by the caller, who also needs them in the job's payload. */
export interface NewDataset extends DatasetRowValues {
  readonly source: DatasetSource;
  /** How it is read, and by which converter: the same again is the same table. Undefined when it is to be converted. */
  readonly readingKey?: string | undefined;
  /** The `dataset.convert` job. */
  readonly job: NewJob;
  /** Of the key that the request came with: whoever sends it again finds this dataset. */
  readonly claim?: IdempotencyClaim | undefined;
}

export interface DatasetFilter {
  /** A part of the label, in any case. */
  readonly labelContains?: string | undefined;
  /** The beginning of the table name, in any case. */
  readonly tableNamePrefix?: string | undefined;
}

/** Tables and what they are called. */
export class DatasetRepository {
  constructor(
    private readonly database: Database,
    private readonly references: BlobReferences,
  ) {}

  /**
   * Makes a dataset with its first version and the job that converts it; claims the upload it comes from. What was converted
   * before in the same way is ready at once, without a job.
   *
   * @throws DomainError `upload.unknown`, `upload.consumed`, `upload.expired`, `upload.in_use`, `table_name.taken`,
   *   `idempotency.in_progress`
   */
  async create(dataset: NewDataset): Promise<Dataset> {
    return this.make(dataset, async (transaction) => {
      const source = await this.claimSource(transaction, dataset);
      const { type: sourceType } = dataset.source;
      const raw = { tenantId: dataset.tenantId, ...source };
      const converted = await takeConverted(transaction, this.references, { ...raw, readingKey: dataset.readingKey });
      if (converted) {
        await useUpSource(transaction, this.references, raw);
        await insertReady(transaction, { ...dataset, sourceType, uploadId: source.uploadId }, converted);
        return;
      }
      await insertJob(transaction, dataset, dataset.job);
      await insertProcessing(transaction, { ...dataset, sourceType }, { ...source, jobId: dataset.job.id });
    });
  }

  /**
   * Makes a dataset of a ready result, which is ready at once. Its file is the result's, and outlives it.
   *
   * @throws DomainError `result.not_found`, `result.pending`, `result.failed`, `result.expired`,
   *   `storage.object_missing`, `table_name.taken`, `idempotency.in_progress`
   */
  async createFromResult(
    dataset: DatasetRowValues & Pick<NewDataset, 'claim'>,
    result: Omit<ResultClaim, 'tenantId'>,
  ): Promise<Dataset> {
    return this.make(dataset, async (transaction) => {
      const { tenantId } = dataset;
      const table = await takeResultTable(transaction, this.references, { tenantId, ...result });
      await insertReady(transaction, { ...dataset, sourceType: 'result' }, table);
    });
  }

  /** @throws DomainError `dataset.not_found` */
  async get(tenantId: TenantId, id: DatasetId): Promise<Dataset> {
    const row = await this.database.run((manager) =>
      findRow<DatasetJoinRow>(manager, `${SELECT_DATASETS} AND d.id = $2`, [tenantId, id]),
    );
    if (!row) throw notFound();
    return toDataset(row);
  }

  async list(tenantId: TenantId, request: PageRequest<DatasetId> & DatasetFilter): Promise<Page<Dataset>> {
    const { labelContains, tableNamePrefix, before, limit } = request;
    const rows = await this.database.run((manager) =>
      rowsOf<DatasetJoinRow>(
        manager,
        `${SELECT_DATASETS}
           AND ($2::text IS NULL OR d.label ILIKE $2) AND ($3::text IS NULL OR d.table_name ILIKE $3)
           AND ($4::text IS NULL OR d.id < $4)
         ORDER BY d.id DESC LIMIT $5`,
        [
          tenantId,
          labelContains === undefined ? null : `%${likeLiteral(labelContains)}%`,
          tableNamePrefix === undefined ? null : `${likeLiteral(tableNamePrefix)}%`,
          before ?? null,
          pageRows(limit) + 1,
        ],
      ),
    );
    return cutPage(rows.map(toDataset), limit);
  }

  /** @throws DomainError `dataset.not_found`, `table_name.taken` */
  async update(
    tenantId: TenantId,
    id: DatasetId,
    { label, tableName }: { label?: string | undefined; tableName?: string | undefined },
  ): Promise<Dataset> {
    await this.get(tenantId, id);
    await this.orNameTaken({ tenantId, tableName: tableName ?? '' }, () =>
      this.database.run((manager) =>
        updateRow(manager, DatasetEntity, {
          where: { tenantId, id },
          set: { ...(label !== undefined && { label }), ...(tableName !== undefined && { tableName }), updatedAt: NOW },
        }),
      ),
    );
    return this.get(tenantId, id);
  }

  /**
   * Hides a dataset at once and frees its name. Its files go after the grace period; a conversion that runs is asked
   * to stop.
   *
   * @returns what became of the conversion's job, if there was one that had not ended
   * @throws DomainError `dataset.not_found`
   */
  async delete(tenantId: TenantId, id: DatasetId): Promise<AttemptEnd | undefined> {
    const { jobId } = await this.get(tenantId, id);
    return this.database.transaction(async (transaction) => {
      const cancelled = await this.cancelConversion(transaction, tenantId, jobId);
      const hidden = await rowsOf(
        transaction,
        `UPDATE datasets SET deleted_at = now(), holds_name = false
         WHERE tenant_id = $1 AND id = $2 AND deleted_at IS NULL RETURNING id`,
        [tenantId, id],
      );
      if (hidden.length === 0) throw notFound();
      const files = await rowsOf<{ storageKey: string }>(
        transaction,
        `DELETE FROM version_files f USING dataset_versions v
         WHERE v.tenant_id = $1 AND v.dataset_id = $2 AND f.tenant_id = v.tenant_id AND f.version_id = v.id
         RETURNING f.storage_key AS "storageKey"`,
        [tenantId, id],
      );
      const storageKeys = files.map((file) => file.storageKey);
      await this.references.releaseAll(transaction, tenantId, storageKeys);
      return cancelled;
    });
  }

  /** The tables of the names that exist, with the exact files to read; names in any case, as they were asked for. */
  resolveTables(tenantId: TenantId, names: readonly string[]): Promise<ResolvedTable[]> {
    return this.database.run((manager) => resolveTables(manager, tenantId, names));
  }

  /** The tables that can be read, with the columns of their newest version. */
  listTables(tenantId: TenantId, limit: number): Promise<TableListing> {
    return this.database.run((manager) => listTables(manager, { tenantId, limit }));
  }

  /** Names of tables that are close to one that does not exist, the closest first. */
  findSimilarNames(tenantId: TenantId, name: string, limit: number): Promise<string[]> {
    return this.database.run((manager) => findSimilarNames(manager, { tenantId, name, limit }));
  }

  /** Forgets datasets of all tenants that failed or were deleted long ago. Returns how many. */
  async sweep({ olderThanMs, limit }: { olderThanMs: number; limit: number }): Promise<number> {
    const since = fromNow(-olderThanMs)();
    const swept = await this.database.run((manager) =>
      rowsOf(
        manager,
        `DELETE FROM datasets WHERE (tenant_id, id) IN (
           SELECT d.tenant_id, d.id FROM datasets d
           JOIN dataset_versions v ON v.tenant_id = d.tenant_id AND v.id = d.latest_version_id
           WHERE v.status <> 'processing' AND
             (d.deleted_at < ${since} OR (d.head_version_id IS NULL AND v.status = 'failed' AND v.ended_at < ${since}))
           LIMIT $1 FOR UPDATE OF d SKIP LOCKED)
         RETURNING id`,
        [limit],
      ),
    );
    return swept.length;
  }

  /** Makes a dataset, and what the request's key has to say about it, in one transaction. */
  private async make(
    { tenantId, id, tableName, claim }: DatasetRowValues & Pick<NewDataset, 'claim'>,
    work: (transaction: Transaction) => Promise<void>,
  ): Promise<Dataset> {
    await this.orNameTaken({ tenantId, tableName }, () =>
      this.database.transaction(async (transaction) => {
        await work(transaction);
        if (claim) await bindEffect(transaction, claim, { effectId: id });
      }),
    );
    return this.get(tenantId, id);
  }

  /** The key that holds inline bytes, or the claimed upload. */
  private async claimSource(
    transaction: Transaction,
    { tenantId, source }: NewDataset,
  ): Promise<{ uploadId: UploadId | null; rawStorageKey: string | null }> {
    if (source.type === 'upload') {
      await claimUpload(transaction, { tenantId, ...source });
      return { uploadId: source.uploadId, rawStorageKey: null };
    }
    const { storageKey } = await this.references.commitWritten(transaction, tenantId, source.blob);
    return { uploadId: null, rawStorageKey: storageKey };
  }

  private async cancelConversion(
    transaction: Transaction,
    tenantId: TenantId,
    jobId: JobId | null,
  ): Promise<AttemptEnd | undefined> {
    const job = jobId === null ? undefined : await lockJob(transaction, tenantId, jobId);
    return job && requestCancel(transaction, this.references, job);
  }

  /** A violated unique index ends its transaction, so a free name is looked for afterwards. */
  private async orNameTaken<T>(name: { tenantId: TenantId; tableName: string }, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof DomainError) || error.code !== 'table_name.taken') throw error;
      throw await this.database.run((manager) => tableNameTaken(manager, { ...name, cause: error }));
    }
  }
}

function notFound(): DomainError {
  return new DomainError('dataset.not_found', 'There is no dataset with this id.');
}
