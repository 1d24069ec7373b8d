import { dayMs, hourMs, integer, minuteMs } from './kinds.js';

/** How long things are kept, and who counts as lost. */
export const lifetimesVariables = {
  UPLOAD_RETENTION_MS: integer('How long an upload waits for a dataset.', { min: 1_000, default: dayMs }),
  RESULT_RETENTION_MS: integer('How long a result is kept.', { min: 1_000, default: 7 * dayMs }),
  FAILED_DATASET_RETENTION_MS: integer('How long a dataset whose conversion failed is shown.', {
    min: 1_000,
    default: dayMs,
  }),
  HISTORY_RETENTION_MS: integer('How long used uploads, ended jobs and ended queries are listed.', {
    min: 1_000,
    default: 30 * dayMs,
  }),
  IDEMPOTENCY_RETENTION_MS: integer('How long the answer to a request with an `Idempotency-Key` is kept.', {
    min: 1_000,
    default: dayMs,
  }),
  DELETION_GRACE_MS: integer('How long bytes stay after their last reference went.', { min: 0, default: minuteMs }),
  LEASE_MS: integer('How long a worker or a writer may be silent before it counts as lost.', {
    min: 500,
    max: hourMs,
    default: 30_000,
  }),
  SWEEP_INTERVAL_MS: integer('How often the sweepers look for what outlived its lease.', {
    min: 50,
    max: hourMs,
    default: 10_000,
  }),
};
