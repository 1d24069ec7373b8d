import { type DomainEvent, jobLifecycle, resultLifecycle, statesOf } from '@millrace/domain';
import { z } from 'zod';
import { idSchema } from './id-schema.js';

const tenantId = idSchema('tenant');

/** Events as they arrive from other processes, which may run another version. */
export const domainEventSchema: z.ZodType<DomainEvent> = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('job.ended'),
    tenantId,
    jobId: idSchema('job'),
    status: z.enum(statesOf(jobLifecycle)),
  }),
  z.object({
    type: z.literal('result.settled'),
    tenantId,
    resultId: idSchema('result'),
    status: z.enum(statesOf(resultLifecycle)),
  }),
  z.object({ type: z.literal('query.ended'), tenantId, queryRunId: idSchema('queryRun') }),
  z.object({ type: z.literal('query.cancel_requested'), tenantId, queryRunId: idSchema('queryRun') }),
  z.object({ type: z.literal('job.cancel_requested'), tenantId, jobId: idSchema('job') }),
]);
