import type { CommitOutcome } from '@millrace/catalog';
import { toDomainError } from '@millrace/domain';
import { Histogram, type Registry } from '@millrace/telemetry';

const DURATION_BUCKETS_S = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 1_800, 7_200];

/** How long attempts to convert take, by how they end. */
export class ConversionMetrics {
  private readonly duration: Histogram<'outcome'>;

  constructor(registry: Registry) {
    this.duration = new Histogram({
      name: 'millrace_conversion_duration_seconds',
      help: 'Duration of attempts to convert a file; the outcome is committed, cancelled or the code of the error.',
      labelNames: ['outcome'],
      buckets: DURATION_BUCKETS_S,
      registers: [registry],
    });
  }

  async observe(attempt: () => Promise<CommitOutcome>): Promise<void> {
    const end = this.duration.startTimer();
    try {
      end({ outcome: await attempt() });
    } catch (error) {
      end({ outcome: toDomainError(error).code });
      throw error;
    }
  }
}
