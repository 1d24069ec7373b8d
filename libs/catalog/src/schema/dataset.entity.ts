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
import { EntitySchema } from 'typeorm';
import { flag, identity, json, number, text, textualJson, time } from './columns.js';
import { columnList, errorRecord, jsonObject, type JsonObject } from './json.js';

export type SourceType = 'upload' | 'inline' | 'result';

/** A row of `datasets`. What people see is a `Dataset`, which has its version's facts too. */
export interface DatasetRow {
  readonly tenantId: TenantId;
  readonly id: DatasetId;
  readonly userId: UserId;
  readonly label: string;
  readonly schemaName: string;
  readonly tableName: string;
  readonly holdsName: boolean;
  readonly headVersionId: VersionId | null;
  readonly latestVersionId: VersionId;
  readonly sourceType: SourceType;
  readonly sourceConfig: JsonObject;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly deletedAt: Date | null;
}

/** A row of `dataset_versions`. */
export interface VersionRow {
  readonly tenantId: TenantId;
  readonly id: VersionId;
  readonly datasetId: DatasetId;
  readonly userId: UserId;
  readonly number: number | null;
  readonly status: VersionStatus;
  readonly uploadId: UploadId | null;
  readonly rawStorageKey: string | null;
  readonly sourceConfig: JsonObject;
  readonly jobId: JobId | null;
  readonly columns: readonly Column[] | null;
  readonly rowCount: number | null;
  readonly sizeBytes: number | null;
  readonly statistics: JsonObject | null;
  /** What it was converted from, 64 hexadecimal digits; null when the same again may be another table. */
  readonly conversionKey: string | null;
  readonly error: ErrorRecord | null;
  readonly profile: JsonObject | null;
  readonly createdAt: Date;
  readonly endedAt: Date | null;
}

export const DatasetEntity = new EntitySchema<DatasetRow>({
  name: 'dataset',
  tableName: 'datasets',
  columns: {
    ...identity,
    userId: text('user_id'),
    label: text('label'),
    schemaName: text('schema_name'),
    tableName: text('table_name'),
    holdsName: flag('holds_name'),
    headVersionId: text('head_version_id'),
    latestVersionId: text('latest_version_id'),
    sourceType: text('source_type'),
    sourceConfig: json('source_config', jsonObject),
    createdAt: time('created_at'),
    updatedAt: time('updated_at'),
    deletedAt: time('deleted_at'),
  },
});

export const VersionEntity = new EntitySchema<VersionRow>({
  name: 'dataset_version',
  tableName: 'dataset_versions',
  columns: {
    ...identity,
    datasetId: text('dataset_id'),
    userId: text('user_id'),
    number: number('number'),
    status: text('status'),
    uploadId: text('upload_id'),
    rawStorageKey: text('raw_storage_key'),
    sourceConfig: json('source_config', jsonObject),
    jobId: text('job_id'),
    columns: json('columns', columnList),
    rowCount: number('row_count'),
    sizeBytes: number('size_bytes'),
    statistics: json('statistics', jsonObject),
    conversionKey: text('conversion_key'),
    error: json('error', errorRecord),
    createdAt: time('created_at'),
    profile: textualJson('profile', jsonObject),
    endedAt: time('ended_at'),
  },
});
