import type {
  Column,
  DatasetId,
  ErrorRecord,
  JobId,
  TenantId,
  UploadId,
  UserId,
  VersionId,
  VersionStatus,
} from '@millrace/domain';
import { columnList, errorRecord, jsonObject, type JsonObject } from '../schema/json.js';
import type { SourceType } from '../schema/dataset.entity.js';

/** A table as people see it: the dataset, the facts of the version that queries read, the status of the newest. */
export interface Dataset {
  readonly tenantId: TenantId;
  readonly id: DatasetId;
  /** Who made it. */
  readonly userId: UserId;
  readonly label: string;
  readonly schemaName: string;
  readonly tableName: string;
  /** The status of the newest version. */
  readonly status: VersionStatus;
  /** The newest version. */
  readonly latestVersionId: VersionId;
  /** The version that queries read; null until one is ready. */
  readonly headVersionId: VersionId | null;
  /** Number, size and shape of the version that queries read. */
  readonly version: number | null;
  readonly rowCount: number | null;
  readonly sizeBytes: number | null;
  readonly columns: readonly Column[] | null;
  /** What the conversion found and decided; its shape is the converter's business. */
  readonly statistics: JsonObject | null;
  readonly sourceType: SourceType;
  readonly sourceConfig: JsonObject;
  readonly uploadId: UploadId | null;
  /** The job that makes or made the newest version; null once it is forgotten. */
  readonly jobId: JobId | null;
  /** Why the newest version failed. */
  readonly error: ErrorRecord | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** A row of `SELECT_DATASETS`: a dataset whose JSON is not parsed yet. */
export type DatasetJoinRow = Omit<Dataset, 'columns' | 'statistics' | 'sourceConfig' | 'error'> & {
  readonly columns: unknown;
  readonly statistics: unknown;
  readonly sourceConfig: unknown;
  readonly error: unknown;
};

/** Datasets `d` that are not deleted, with their newest version `v` and the version that queries read, `h`. */
export const SELECT_DATASETS = `SELECT
    d.tenant_id AS "tenantId", d.id, d.user_id AS "userId", d.label, d.schema_name AS "schemaName",
    d.table_name AS "tableName", v.status, d.latest_version_id AS "latestVersionId",
    d.head_version_id AS "headVersionId", h.number AS version, h.row_count AS "rowCount",
    h.size_bytes AS "sizeBytes", h.columns, h.statistics, d.source_type AS "sourceType", d.source_config AS "sourceConfig",
    v.upload_id AS "uploadId", v.job_id AS "jobId", v.error, d.created_at AS "createdAt", d.updated_at AS "updatedAt"
  FROM datasets d
  JOIN dataset_versions v ON v.tenant_id = d.tenant_id AND v.id = d.latest_version_id
  LEFT JOIN dataset_versions h ON h.tenant_id = d.tenant_id AND h.id = d.head_version_id
  WHERE d.deleted_at IS NULL AND d.tenant_id = $1`;

const nullableColumns = columnList.nullable();
const nullableObject = jsonObject.nullable();
const nullableError = errorRecord.nullable();

export function toDataset(row: DatasetJoinRow): Dataset {
  return {
    ...row,
    columns: nullableColumns.parse(row.columns),
    statistics: nullableObject.parse(row.statistics),
    sourceConfig: jsonObject.parse(row.sourceConfig),
    error: nullableError.parse(row.error),
  };
}
