import { jobLifecycle, statesOf } from '@millrace/domain';
import { z } from 'zod';
import { errorRecordSchema, idOf, pageFields, pageQuerySchema, timestampSchema } from './common.js';

export const jobStatusSchema = z.enum(statesOf(jobLifecycle));
export const jobKindSchema = z.enum(['dataset.convert', 'query.run', 'result.persist']);

export const jobSchema = z
  .object({
    id: idOf('job'),
    kind: jobKindSchema,
    status: jobStatusSchema,
    dataset_id: idOf('dataset').nullable(),
    result_id: idOf('result').nullable(),
    query_run_id: idOf('queryRun').nullable(),
    attempts: z.int().meta({ description: 'How often the job was given to a worker.' }),
    progress: z.number().min(0).max(1).nullable(),
    blocked_by: z.string().nullable().meta({ description: 'Why it waits: `tenant_limit`, `queue` or `backoff`.' }),
    position: z
      .int()
      .nullable()
      .meta({ description: 'Its place among the waiting jobs of its tenant and kind; 1 is next. Null unless queued.' }),
    error: errorRecordSchema.nullable(),
    cancel_requested: z.boolean(),
    created_at: timestampSchema,
    started_at: timestampSchema.nullable(),
    finished_at: timestampSchema.nullable(),
  })
  .meta({ id: 'Job' });

export type JobBody = z.infer<typeof jobSchema>;

export const listJobsQuerySchema = pageQuerySchema.extend({
  status: jobStatusSchema.optional(),
  kind: jobKindSchema.optional(),
});
export const jobListSchema = z.object({ jobs: z.array(jobSchema), ...pageFields }).meta({ id: 'JobList' });
