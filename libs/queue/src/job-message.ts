import type { JobFence, JobId, TenantId } from '@millrace/domain';
import { z } from 'zod';
import { idSchema } from './id-schema.js';

/** A job that the ledger has admitted: to be handed to the queue. */
export interface AdmittedJob extends JobFence {
  readonly kind: string;
}

/**
 * What travels through the queue: who and which attempt, nothing of the work itself. The payload comes from the
 * ledger when the attempt starts, so that a message can be lost, doubled or late without consequence.
 */
export interface JobMessage extends JobFence {
  readonly version: 1;
}

const jobMessageSchema = z.strictObject({
  version: z.literal(1),
  tenantId: idSchema('tenant'),
  jobId: idSchema('job'),
  attempt: z.int().positive(),
}) satisfies z.ZodType<{ version: 1; tenantId: TenantId; jobId: JobId; attempt: number }>;

export function toJobMessage({ tenantId, jobId, attempt }: JobFence): JobMessage {
  return { version: 1, tenantId, jobId, attempt };
}

/** The message, or undefined when it is none that this version understands. */
export function parseJobMessage(data: unknown): JobMessage | undefined {
  return jobMessageSchema.safeParse(data).data;
}

/**
 * The id under which BullMQ knows an attempt. BullMQ drops an id that it still keeps without a word, so every attempt
 * needs its own; sending the same attempt twice is harmless for the same reason.
 */
export function messageIdOf({ jobId, attempt }: JobFence): string {
  return `${jobId}-${attempt}`;
}
