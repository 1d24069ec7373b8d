import type { JobBacklog, JobRepository } from '@millrace/catalog';
import type { Environment } from '@millrace/config';
import type { JobName } from '@millrace/queue';
import { workersWanted } from './workers-wanted.js';

/** What an autoscaler may ask of one kind of workers. */
export interface ScalingBody {
  /** Jobs that wait for a worker. */
  readonly queued: number;
  readonly running: number;
  /** The work that waits: seconds that one worker would need if it did one job at a time. */
  readonly backlog_seconds: number;
  readonly oldest_wait_seconds: number;
  /** Workers that should run now: never none while a job waits or runs. */
  readonly workers_wanted: number;
}

/** What a conversion takes while nobody knows better. */
const DURATION_GUESS_MS = 10_000;
const CONVERT: JobName = 'dataset.convert';

/** `/internal/scaling`: how many workers the work that there is needs. */
export class ScalingPage {
  constructor(
    private readonly jobs: Pick<JobRepository, 'backlog'>,
    private readonly settings: Pick<Environment, 'CONVERT_CONCURRENCY' | 'SCALING_TARGET_MS'>,
  ) {}

  /** @throws DomainError `service.unavailable` when the catalog does not answer */
  async show(): Promise<{ readonly convert: ScalingBody }> {
    return { convert: this.bodyOf(await this.jobs.backlog(CONVERT)) };
  }

  private bodyOf({ waiting, running, runnable, oldestWaitMs, meanDurationMs }: JobBacklog): ScalingBody {
    const backlogMs = waiting * (meanDurationMs ?? DURATION_GUESS_MS);
    const { CONVERT_CONCURRENCY: jobsPerWorker, SCALING_TARGET_MS: targetMs } = this.settings;
    return {
      queued: waiting,
      running,
      backlog_seconds: backlogMs / 1_000,
      oldest_wait_seconds: oldestWaitMs / 1_000,
      workers_wanted: workersWanted({ running, runnable, backlogMs, targetMs, jobsPerWorker }),
    };
  }
}
