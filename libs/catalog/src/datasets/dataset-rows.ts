import type { Column, DatasetId, JobId, TenantId, UploadId, UserId, VersionId } from '@millrace/domain';
import type { Transaction } from '../database/database.js';
import { NOW } from '../database/sql.js';
import { insertRow } from '../database/transition.js';
import { DatasetEntity, VersionEntity, type SourceType } from '../schema/dataset.entity.js';
import type { JsonObject } from '../schema/json.js';

/** What a dataset is from its first moment on, whatever its rows come from. */
export interface DatasetRowValues {
  readonly tenantId: TenantId;
  readonly userId: UserId;
  readonly id: DatasetId;
  readonly versionId: VersionId;
  readonly label: string;
  readonly tableName: string;
  /** Shown to people as it is. */
  readonly sourceConfig: JsonObject;
}

/** A table whose files are in the store, and referred to once for each time they are named here. */
export interface StoredTable {
  readonly columns: readonly Column[];
  readonly rowCount: number;
  readonly sizeBytes: number;
  readonly statistics: JsonObject;
  /** What its values are like; left out when nobody knows. */
  readonly profile?: JsonObject | null;
  /** In the order of their rows. */
  readonly files: readonly { readonly storageKey: string; readonly rowCount: number }[];
  /** See `VersionRow.conversionKey`. */
  readonly conversionKey?: string | null;
}

/** Inserts a dataset whose first version is still to be converted. */
export async function insertProcessing(
  transaction: Transaction,
  dataset: DatasetRowValues & { readonly sourceType: SourceType },
  source: { readonly uploadId: UploadId | null; readonly rawStorageKey: string | null; readonly jobId: JobId },
): Promise<void> {
  const { tenantId, id, userId, versionId, sourceConfig } = dataset;
  await insertDataset(transaction, dataset);
  const version = { tenantId, id: versionId, datasetId: id, userId, sourceConfig };
  await insertRow(transaction, VersionEntity, { ...version, ...source, status: 'processing' });
}

/** Inserts a dataset whose first version is ready. */
export async function insertReady(
  transaction: Transaction,
  dataset: DatasetRowValues & { readonly sourceType: SourceType; readonly uploadId?: UploadId | null },
  { files, ...table }: StoredTable,
): Promise<void> {
  const { tenantId, id, userId, versionId, sourceConfig, uploadId = null } = dataset;
  await insertDataset(transaction, { ...dataset, headVersionId: versionId });
  await insertRow(transaction, VersionEntity, {
    ...{ tenantId, id: versionId, datasetId: id, userId, sourceConfig, uploadId },
    ...table,
    status: 'ready',
    number: 1,
    endedAt: NOW,
  });
  for (const [position, { storageKey, rowCount }] of files.entries()) {
    await transaction.query(
      `INSERT INTO version_files (tenant_id, version_id, position, storage_key, row_count)
       VALUES ($1, $2, $3, $4, $5)`,
      [tenantId, versionId, position, storageKey, rowCount],
    );
  }
}

async function insertDataset(
  transaction: Transaction,
  dataset: DatasetRowValues & { readonly sourceType: SourceType; readonly headVersionId?: VersionId },
): Promise<void> {
  const { tenantId, id, userId, label, tableName, sourceType, sourceConfig, versionId, headVersionId = null } = dataset;
  await insertRow(transaction, DatasetEntity, {
    ...{ tenantId, id, userId, label, tableName, sourceType, sourceConfig, headVersionId },
    latestVersionId: versionId,
  });
}
