import { errorFields, type Logger } from '@millrace/telemetry';
import type { MaintenanceMetrics } from '../maintenance-metrics.js';
import { jittered, pause } from '../timing.js';
import type { Sweep } from './sweep.js';

/** Batches of one run at most; what is left is for the next. */
const BATCHES_MAX = 100;

/**
 * Runs one sweep at its interval, for the first time at once. A run that fails is logged, and the next one comes as if
 * nothing had happened. Runs never overlap: the interval begins when a run has ended.
 */
export class Sweeper {
  readonly #closing = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(
    private readonly sweep: Sweep,
    private readonly parts: { readonly metrics: MaintenanceMetrics; readonly logger: Logger },
  ) {}

  start(): void {
    this.#running = this.#run();
  }

  /** Plans no more runs and resolves when the one under way has ended. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      await this.#sweepOnce(signal);
      await pause(jittered(this.sweep.intervalMs), signal);
    }
  }

  async #sweepOnce(signal: AbortSignal): Promise<void> {
    const { metrics, logger } = this.parts;
    const { name } = this.sweep;
    try {
      await this.#sweepBatches(signal);
      metrics.sweeps.inc({ sweep: name, outcome: 'done' });
    } catch (error) {
      metrics.sweeps.inc({ sweep: name, outcome: 'failed' });
      // The catalog goes on after a row that it could not end, and tells of all such rows at once.
      const cause: unknown = error instanceof AggregateError ? error.errors[0] : error;
      logger.error({ sweep: name, ...errorFields(cause) }, 'a sweep failed');
    }
  }

  async #sweepBatches(signal: AbortSignal): Promise<void> {
    const { name, sweepBatch } = this.sweep;
    for (let batches = 0; batches < BATCHES_MAX && !signal.aborted; batches += 1) {
      const count = await sweepBatch(signal);
      if (count === 0) return;
      this.parts.metrics.sweptRows.inc({ sweep: name }, count);
    }
  }
}
