import type { ErrorCode } from '@millrace/domain';
import { Gauge, Histogram, type Registry } from '@millrace/telemetry';

const DURATION_BUCKETS_S = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800];

/** How a query ended; a code of the error catalog, so their number is bounded. */
export type QueryOutcome = 'succeeded' | ErrorCode;

export interface GaugeSources {
  /** Queries that wait or run here. */
  readonly running: () => number;
  /** Results whose files are on their way into the store. */
  readonly storing: () => number;
}

export class QueryMetrics {
  private readonly duration: Histogram<'outcome'>;

  constructor(registry: Registry, sources: GaugeSources) {
    this.duration = new Histogram({
      name: 'millrace_query_duration_seconds',
      help: 'Duration of queries from their arrival to their answer, by outcome.',
      labelNames: ['outcome'],
      buckets: DURATION_BUCKETS_S,
      registers: [registry],
    });
    addGauge(registry, { name: 'millrace_queries_running', help: 'Queries that wait or run.', read: sources.running });
    addGauge(registry, { name: 'millrace_results_storing', help: 'Results being stored.', read: sources.storing });
  }

  observe(outcome: QueryOutcome, durationMs: number): void {
    this.duration.observe({ outcome }, durationMs / 1_000);
  }
}

function addGauge(registry: Registry, gauge: { name: string; help: string; read: () => number }): void {
  const { name, help, read } = gauge;
  const added: Gauge = new Gauge({ name, help, registers: [registry], collect: (): void => added.set(read()) });
}
