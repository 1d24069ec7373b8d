import type {
  DatasetId,
  ErrorRecord,
  JobId,
  QueryRunId,
  QueryRunStatus,
  ResultId,
  TenantId,
  UserId,
  VersionId,
} from '@millrace/domain';
import { EntitySchema } from 'typeorm';
import { z } from 'zod';
import { identity, json, number, text, time } from './columns.js';
import { errorRecord } from './json.js';

/** What a query read: a version of a dataset, or the result of another query. */
export type QueryInput =
  { readonly datasetId: DatasetId; readonly versionId: VersionId } | { readonly resultId: ResultId };

/** One statement that somebody asked for. */
export interface QueryRun {
  readonly tenantId: TenantId;
  readonly id: QueryRunId;
  readonly userId: UserId;
  readonly status: QueryRunStatus;
  readonly sql: string;
  /** The bound parameters as they were sent: an array, an object, or null for none. */
  readonly params: unknown;
  /** SQL types that its named parameters are cast to, of one in the background. */
  readonly paramTypes: Readonly<Record<string, string>> | null;
  readonly timeoutMs: number;
  /** Known once it runs. */
  readonly inputs: readonly QueryInput[] | null;
  readonly resultId: ResultId | null;
  readonly rowCount: number | null;
  readonly sizeBytes: number | null;
  readonly error: ErrorRecord | null;
  readonly cancelRequestedAt: Date | null;
  /** Until when the service that runs it has to say that it is alive; null with a job, which has a lease of its own. */
  readonly leaseUntil: Date | null;
  /** The `query.run` job of a run in the background. */
  readonly jobId: JobId | null;
  /** 0 to 1; null while it is not known, and with a job, which has its own. */
  readonly progress: number | null;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
}

const inputList = z.array(
  z.union([z.object({ datasetId: z.string(), versionId: z.string() }), z.object({ resultId: z.string() })]),
);

export const QueryRunEntity = new EntitySchema<QueryRun>({
  name: 'query_run',
  tableName: 'query_runs',
  columns: {
    ...identity,
    userId: text('user_id'),
    status: text('status'),
    sql: text('sql'),
    params: json('params', z.unknown()),
    paramTypes: json('param_types', z.record(z.string(), z.string())),
    timeoutMs: number('timeout_ms'),
    inputs: json('inputs', inputList),
    resultId: text('result_id'),
    rowCount: number('row_count'),
    sizeBytes: number('size_bytes'),
    error: json('error', errorRecord),
    cancelRequestedAt: time('cancel_requested_at'),
    leaseUntil: time('lease_until'),
    jobId: text('job_id'),
    progress: number('progress'),
    createdAt: time('created_at'),
    startedAt: time('started_at'),
    endedAt: time('ended_at'),
  },
});
