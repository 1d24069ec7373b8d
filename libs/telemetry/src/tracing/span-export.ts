import { TraceFlags } from '@opentelemetry/api';
import { type ReadableSpan, BatchSpanProcessor, type SpanExporter, type SpanProcessor } from '@opentelemetry/sdk-trace';

/** Spans that wait to be sent, at most; some MB. Further ones are lost. */
const WAITING_SPANS_MAX = 4_096;
const BATCH_SPANS_MAX = 512;
const BATCH_EVERY_MS = 1_000;
/** Of one batch, with what is tried again. */
export const SEND_TIMEOUT_MS = 5_000;

/** Why a span did not get to the collector. */
export type LossReason = 'queue_full' | 'send_failed';

/**
 * Sends ended spans in batches, one at a time. A collector that is slow or away makes spans wait up to a bound, and then
 * be lost: whoever makes spans waits for nothing.
 */
export class SpanExport implements SpanProcessor {
  sentCount = 0;
  readonly lostCounts: Record<LossReason, number> = { queue_full: 0, send_failed: 0 };
  private waitingCount = 0;
  private readonly batches: SpanProcessor;

  constructor(exporter: SpanExporter) {
    this.batches = new BatchSpanProcessor({
      exporter: {
        export: (spans, done) => {
          this.waitingCount -= spans.length;
          exporter.export(spans, (result) => {
            if (result.error || result.code !== 0) this.lostCounts.send_failed += spans.length;
            else this.sentCount += spans.length;
            done(result);
          });
        },
        shutdown: () => exporter.shutdown(),
      },
      maxQueueSize: WAITING_SPANS_MAX,
      maxExportBatchSize: BATCH_SPANS_MAX,
      scheduledDelayMillis: BATCH_EVERY_MS,
      exportTimeoutMillis: 2 * SEND_TIMEOUT_MS,
    });
  }

  onStart(): void {}

  onEnd(span: ReadableSpan): void {
    if ((span.spanContext().traceFlags & TraceFlags.SAMPLED) === 0) return;
    if (this.waitingCount >= WAITING_SPANS_MAX) {
      this.lostCounts.queue_full += 1;
      return;
    }
    this.waitingCount += 1;
    this.batches.onEnd(span);
  }

  forceFlush(): Promise<void> {
    return this.batches.forceFlush();
  }

  shutdown(): Promise<void> {
    return this.batches.shutdown();
  }
}
