import { Controller, Module, type INestMicroservice } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { EventBus, JobId, JobLedger } from '@millrace/domain';
import { BullMqServer, JobContext, JobHandler, type PayloadOf, type QueueLocation } from '@millrace/queue';
import { createLogger } from '@millrace/telemetry';

interface ConversionWorkerParts {
  readonly queueLocation: QueueLocation;
  readonly ledger: JobLedger;
  readonly events: EventBus;
  /** What it does for a job; nothing is converted. */
  readonly work: (jobId: JobId) => Promise<void>;
}

/** A worker for conversions that does what a test wants. */
export async function startConversionWorker(parts: ConversionWorkerParts): Promise<INestMicroservice> {
  @Controller()
  class Converter {
    @JobHandler('dataset.convert')
    convert(_payload: PayloadOf<'dataset.convert'>, { fence }: JobContext): Promise<void> {
      return parts.work(fence.jobId);
    }
  }
  @Module({ controllers: [Converter] })
  class Conversions {}

  const { queueLocation, ledger, events } = parts;
  const logger = createLogger({ level: 'silent', service: 'convert-worker' });
  const queues = [{ name: 'convert', concurrency: 4 }] as const;
  const strategy = new BullMqServer({ queues, queueLocation, ledger, events, logger });
  const app = await NestFactory.createMicroservice(Conversions, { strategy, logger: false, abortOnError: false });
  await app.listen();
  return app;
}
