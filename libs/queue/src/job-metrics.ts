import { Histogram, type Registry } from '@millrace/telemetry';
import type { AttemptOutcome } from './attempt-runner.js';

const DURATION_BUCKETS_S = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 1_800, 7_200];

/** How many attempts of each kind there were, how they ended, and how long they took. */
export class JobMetrics {
  private readonly duration: Histogram<'kind' | 'outcome'>;

  constructor(registry: Registry) {
    this.duration = new Histogram({
      name: 'millrace_job_attempt_duration_seconds',
      help: 'Duration of attempts of jobs, by kind and outcome: succeeded, lost, or the code of the error.',
      labelNames: ['kind', 'outcome'],
      buckets: DURATION_BUCKETS_S,
      registers: [registry],
    });
  }

  observe(
    kind: string,
    { outcome, durationMs }: { readonly outcome: AttemptOutcome; readonly durationMs: number },
  ): void {
    this.duration.observe({ kind, outcome }, durationMs / 1_000);
  }
}
