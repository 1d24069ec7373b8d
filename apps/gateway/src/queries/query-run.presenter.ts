import type { QueryRun, QueuedJob } from '@millrace/catalog';
import type { QueryRunBody } from '@millrace/contract';
import { presentError } from '../presenting.js';

/**
 * A query run as the contract shows it.
 *
 * @param job of a run in the background that has not ended; left out, its place in the queue and its progress are not known
 */
export function presentQueryRun(run: QueryRun, job?: QueuedJob): QueryRunBody {
  return {
    id: run.id,
    status: run.status,
    sql: run.sql,
    job_id: run.jobId,
    result_id: run.resultId,
    progress: progressOf(run, job),
    blocked_by: blockedBy(run, job),
    position: job?.position ?? null,
    timeout_ms: run.timeoutMs,
    row_count: run.rowCount,
    size_bytes: run.sizeBytes,
    execution_time_ms: run.startedAt && run.endedAt ? run.endedAt.getTime() - run.startedAt.getTime() : null,
    inputs: (run.inputs ?? []).map((input) =>
      'resultId' in input
        ? { result_id: input.resultId }
        : { dataset_id: input.datasetId, version_id: input.versionId },
    ),
    error: presentError(run.error),
    cancel_requested: run.cancelRequestedAt !== null,
    queued_at: run.createdAt.toISOString(),
    started_at: run.startedAt?.toISOString() ?? null,
    finished_at: run.endedAt?.toISOString() ?? null,
  };
}

function progressOf({ status, progress }: QueryRun, job: QueuedJob | undefined): number | null {
  if (status === 'succeeded') return 1;
  return status === 'running' ? (job?.progress ?? progress) : null;
}

/** One that was handed to the queue waits for a service to take it. */
function blockedBy({ status }: QueryRun, job: QueuedJob | undefined): string | null {
  if (status !== 'queued' || !job) return null;
  return job.blockedBy ?? 'queue';
}
