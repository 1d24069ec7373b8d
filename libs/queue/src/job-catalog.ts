import { z } from 'zod';
import { idSchema } from './id-schema.js';

/** The queues of BullMQ; each is served by one kind of worker app. */
export const QUEUE_NAMES = ['convert', 'query', 'maintenance'] as const;

export type QueueName = (typeof QUEUE_NAMES)[number];

/** What the platform knows about one kind of job. */
export interface JobSpec<P extends z.ZodType = z.ZodType> {
  /** Ids only: what they stand for is read from the catalog when the job runs. */
  readonly payload: P;
  readonly queue: QueueName;
  /** How many attempts may end by a transient fault or a lost worker before the job has failed. */
  readonly attemptsMax: number;
  /** How long an attempt counts as alive after its last heartbeat; heartbeats come three times as often. */
  readonly leaseMs: number;
  /** After this time an attempt is aborted with `job.deadline`. */
  readonly timeLimitMs: number;
  /** Whether its worker tells `job.ended` to every process: not where another event says what the end means. */
  readonly tellsEnd: boolean;
}

export type JobCatalog = Readonly<Record<string, JobSpec>>;

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Every job of Millrace. */
export const JOBS = {
  'dataset.convert': {
    payload: z.strictObject({ versionId: idSchema('version'), datasetId: idSchema('dataset') }),
    queue: 'convert',
    attemptsMax: 3,
    leaseMs: 30_000,
    timeLimitMs: 120 * MINUTE_MS,
    tellsEnd: true,
  },
  'query.run': {
    payload: z.strictObject({ queryRunId: idSchema('queryRun') }),
    queue: 'query',
    attemptsMax: 3,
    leaseMs: 30_000,
    // The statement's own deadline comes before: that is the tenant's business.
    timeLimitMs: 24 * HOUR_MS,
    tellsEnd: true,
  },
  'result.persist': {
    payload: z.strictObject({ resultId: idSchema('result') }),
    queue: 'maintenance',
    attemptsMax: 5,
    leaseMs: 30_000,
    timeLimitMs: 30 * MINUTE_MS,
    // There is one for each statement; whoever waits for the result hears `result.settled`.
    tellsEnd: false,
  },
} as const satisfies JobCatalog;

export type JobName = keyof typeof JOBS;
export type PayloadOf<N extends JobName> = z.output<(typeof JOBS)[N]['payload']>;

/** What the catalog needs to insert the row of a job. */
export interface JobDescription<N extends JobName = JobName> {
  readonly kind: N;
  readonly payload: PayloadOf<N>;
  readonly attemptsMax: number;
}

/** The row of a new job. The payload is checked here too: a bad one must fail in the caller's transaction, not later. */
export function describeJob<N extends JobName>(name: N, payload: PayloadOf<N>): JobDescription<N> {
  const spec = JOBS[name];
  return { kind: name, payload: spec.payload.parse(payload) as PayloadOf<N>, attemptsMax: spec.attemptsMax };
}

/** Whether this version of the platform knows the job; a row may have been written by a newer one. */
export function isJobName(kind: string): kind is JobName {
  return Object.hasOwn(JOBS, kind);
}
