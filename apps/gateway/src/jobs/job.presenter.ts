import type { QueuedJob } from '@millrace/catalog';
import { jobKindSchema, type JobBody } from '@millrace/contract';
import { z } from 'zod';
import { presentError } from '../presenting.js';

/** The ids in a job's payload that people know. */
const subjectSchema = z.object({
  datasetId: z.string().optional(),
  resultId: z.string().optional(),
  queryRunId: z.string().optional(),
});

/** A job as the contract shows it. */
export function presentJob(job: QueuedJob): JobBody {
  const subject = subjectSchema.parse(job.payload);
  return {
    id: job.id,
    kind: jobKindSchema.parse(job.kind),
    status: job.status,
    dataset_id: subject.datasetId ?? null,
    result_id: subject.resultId ?? null,
    query_run_id: subject.queryRunId ?? null,
    attempts: job.attempt,
    progress: job.status === 'succeeded' ? 1 : job.progress,
    blocked_by: job.blockedBy ?? null,
    position: job.position ?? null,
    error: presentError(job.error),
    cancel_requested: job.cancelRequestedAt !== null,
    created_at: job.createdAt.toISOString(),
    started_at: job.startedAt?.toISOString() ?? null,
    finished_at: job.endedAt?.toISOString() ?? null,
  };
}
