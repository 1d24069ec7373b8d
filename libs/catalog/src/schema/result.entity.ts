import type {
  Column,
  ErrorRecord,
  JobId,
  QueryRunId,
  ResultId,
  ResultStatus,
  TenantId,
  UserId,
} from '@millrace/domain';
import { EntitySchema } from 'typeorm';
import { identity, json, number, text, time } from './columns.js';
import { columnList, errorRecord, jsonObject, type JsonObject } from './json.js';

/** The rows a query gave, kept as a Parquet file. */
export interface Result {
  readonly tenantId: TenantId;
  readonly id: ResultId;
  /** Who ran the query. */
  readonly userId: UserId;
  readonly queryRunId: QueryRunId;
  readonly status: ResultStatus;
  readonly columns: readonly Column[];
  readonly rowCount: number;
  /** Where the file is: null until it is stored, and after the result failed or expired. */
  readonly storageKey: string | null;
  readonly contentHash: string | null;
  readonly sizeBytes: number | null;
  readonly statistics: JsonObject | null;
  /** What it is the answer to, 64 hexadecimal digits; null when that may have another answer the next time. */
  readonly reuseKey: string | null;
  /** The `result.persist` job, once the file is stored. */
  readonly jobId: JobId | null;
  readonly error: ErrorRecord | null;
  readonly leaseUntil: Date | null;
  readonly createdAt: Date;
  readonly readyAt: Date | null;
  /** Null: kept until somebody unpins or deletes it. */
  readonly expiresAt: Date | null;
  /** Until when it is kept without a pin. */
  readonly retainedUntil: Date;
}

export const ResultEntity = new EntitySchema<Result>({
  name: 'result',
  tableName: 'results',
  columns: {
    ...identity,
    userId: text('user_id'),
    queryRunId: text('query_run_id'),
    status: text('status'),
    columns: json('columns', columnList),
    rowCount: number('row_count'),
    storageKey: text('storage_key'),
    contentHash: text('content_hash'),
    sizeBytes: number('size_bytes'),
    statistics: json('statistics', jsonObject),
    reuseKey: text('reuse_key'),
    jobId: text('job_id'),
    error: json('error', errorRecord),
    leaseUntil: time('lease_until'),
    createdAt: time('created_at'),
    readyAt: time('ready_at'),
    expiresAt: time('expires_at'),
    retainedUntil: time('retained_until'),
  },
});
