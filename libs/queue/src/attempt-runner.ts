import { setTimeout as sleep } from 'node:timers/promises';
import {
  DomainError,
  type ErrorCode,
  type EventBus,
  isTerminal,
  type JobFence,
  type JobId,
  jobLifecycle,
  type JobLedger,
  type JobStatus,
  type StartedJob,
  toDomainError,
} from '@millrace/domain';
import { errorFields, inSpan, runInContext } from '@millrace/telemetry';
import type { JobSpec } from './job-catalog.js';
import { JobContext } from './job-context.js';
import type { JobMetrics } from './job-metrics.js';
import { Lease } from './lease.js';
import type { QueueLog } from './queue-log.js';

/** The end of an attempt is written again when Postgres stumbles; after that its lease ends and the sweeper decides. */
const SETTLE_TRIES_MAX = 3;
const SETTLE_PAUSE_MS = 1_000;

export interface AttemptRunnerOptions {
  readonly ledger: JobLedger;
  readonly events: EventBus;
  readonly log: QueueLog;
  /** How long an aborted handler may take to end before the attempt is closed without it. */
  readonly abortGraceMs: number;
  readonly metrics?: JobMetrics | undefined;
}

/** One delivery: an attempt, the kind that the message names, and who handles it. */
export interface Attempt {
  readonly fence: JobFence;
  readonly kind: string;
  readonly spec: JobSpec;
  readonly handle: (payload: unknown, context: JobContext) => Promise<unknown>;
}

/** How an attempt ended, for those who look at many: by the code of its error. */
export type AttemptOutcome = 'succeeded' | 'lost' | ErrorCode;

type Outcome =
  { readonly type: 'succeeded' } | { readonly type: 'failed'; readonly error: unknown } | { readonly type: 'lost' };

/** Runs attempts between the ledger and the handlers. Knows nothing of BullMQ and nothing of Nest's handler chain. */
export class AttemptRunner {
  readonly #options: AttemptRunnerOptions;
  readonly #running = new Map<JobId, Lease>();

  constructor(options: AttemptRunnerOptions) {
    this.#options = options;
  }

  /**
   * Runs one attempt to its end. An attempt that is not current any more is dropped.
   *
   * @throws what the ledger throws when it can't be reached: then the attempt's lease ends and the sweeper decides
   */
  async run(attempt: Attempt): Promise<void> {
    const { tenantId, jobId } = attempt.fence;
    await runInContext({ tenantId, jobId }, () => this.#run(attempt));
  }

  /** Asks the ledger at once what it wants of a job, if it runs here. */
  nudge(jobId: JobId): void {
    void this.#running.get(jobId)?.beat();
  }

  /** Aborts everything that runs. */
  abortAll(reason: DomainError): void {
    for (const lease of this.#running.values()) lease.abort(reason);
  }

  async #run(attempt: Attempt): Promise<void> {
    const { fence, kind, spec } = attempt;
    const startedAt = Date.now();
    const job = await this.#options.ledger.start(fence, { leaseMs: spec.leaseMs });
    if (!job) return this.#options.log.info({ ...fence, kind }, 'a stale delivery was dropped');
    const { tenantId, jobId } = fence;
    await inSpan(
      { name: `job ${kind}`, kind: 'consumer', parent: job.traceparent, startedAt },
      { 'millrace.tenant.id': tenantId, 'millrace.job.id': jobId, 'millrace.job.attempt': fence.attempt },
      async (span) => {
        const outcome = await this.#runStarted(attempt, { job, startedAt });
        const end = await this.#settle(attempt, outcome);
        if (end !== 'succeeded') span.failAs(end);
        this.#note(attempt, { outcome: end, durationMs: Date.now() - startedAt, ...detailsOf(outcome) });
      },
    );
  }

  /** The one line of an attempt. */
  #note({ fence, kind }: Attempt, done: { readonly outcome: AttemptOutcome; readonly durationMs: number }): void {
    const { log, metrics } = this.#options;
    const fields = { ...fence, kind, ...done };
    if (done.outcome === 'succeeded') log.info(fields, 'an attempt succeeded');
    else if (done.outcome === 'lost') log.warn(fields, 'the claim on a job was lost; nothing was written');
    else log.warn(fields, 'an attempt failed');
    metrics?.observe(kind, done);
  }

  async #runStarted(attempt: Attempt, started: { job: StartedJob; startedAt: number }): Promise<Outcome> {
    const { fence, spec } = attempt;
    const { ledger, log } = this.#options;
    const lease = new Lease({ ledger, fence, leaseMs: spec.leaseMs, startedAt: started.startedAt, log });
    const deadline = setTimeout(() => {
      lease.abort(new DomainError('job.deadline', `The job was stopped after ${spec.timeLimitMs / 1000} seconds.`));
    }, spec.timeLimitMs);
    this.#running.set(fence.jobId, lease);
    try {
      await this.#handle(attempt, started.job, lease);
      // Also when the lease seems lost: a heartbeat that meets the commit in which the handler ended the job hears that.
      // The ledger knows, and writes nothing for an attempt that is not current.
      return { type: 'succeeded' };
    } catch (error) {
      // An aborted handler may throw anything on its way out: why it was aborted is what counts.
      if (lease.lost) return { type: 'lost' };
      return { type: 'failed', error: lease.signal.aborted ? lease.signal.reason : error };
    } finally {
      clearTimeout(deadline);
      lease.stop();
      this.#running.delete(fence.jobId);
    }
  }

  async #handle({ fence, kind, spec, handle }: Attempt, job: StartedJob, lease: Lease): Promise<void> {
    if (job.kind !== kind) throw new Error(`The message says ${kind}, the ledger ${job.kind}`);
    const payload = spec.payload.parse(job.payload);
    const progress = (fraction: number): void => lease.noteProgress(fraction);
    const context = new JobContext({ fence, signal: lease.signal, progress });
    const handled = handle(payload, context);
    const abandoned = abandon(lease.signal, this.#options.abortGraceMs);
    try {
      await Promise.race([handled, abandoned.promise]);
    } finally {
      abandoned.dispose();
    }
  }

  async #settle(attempt: Attempt, outcome: Outcome): Promise<AttemptOutcome> {
    const { ledger } = this.#options;
    const { fence } = attempt;
    switch (outcome.type) {
      case 'lost':
        return 'lost';
      case 'succeeded': {
        const status = await retry(() => ledger.succeed(fence));
        if (!isTerminal(jobLifecycle, status)) return 'lost';
        await this.#announce(attempt, status);
        return 'succeeded';
      }
      case 'failed': {
        const error = toDomainError(outcome.error);
        await this.#announce(attempt, await retry(() => ledger.fail(fence, error.toRecord())));
        return error.code;
      }
    }
  }

  async #announce({ fence, spec }: Attempt, status: JobStatus): Promise<void> {
    if (!spec.tellsEnd || !isTerminal(jobLifecycle, status)) return;
    const { tenantId, jobId } = fence;
    await this.#options.events.publish({ type: 'job.ended', tenantId, jobId, status });
  }
}

/** What the log says of an error beside its code. */
function detailsOf(outcome: Outcome): object {
  if (outcome.type !== 'failed') return {};
  const { cause } = toDomainError(outcome.error);
  return cause === undefined ? {} : errorFields(cause);
}

async function retry<T>(write: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await write();
    } catch (error) {
      if (tries === SETTLE_TRIES_MAX) throw error;
      await sleep(SETTLE_PAUSE_MS);
    }
  }
}

/** A promise that rejects with the signal's reason some time after it was aborted, and the way to let go of it. */
function abandon(signal: AbortSignal, graceMs: number): { promise: Promise<never>; dispose: () => void } {
  const { promise, reject } = Promise.withResolvers<never>();
  let timer: NodeJS.Timeout | undefined;
  const onAbort = (): void => {
    timer = setTimeout(() => {
      reject(signal.reason as Error);
    }, graceMs);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  const dispose = (): void => {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  };
  return { promise, dispose };
}
