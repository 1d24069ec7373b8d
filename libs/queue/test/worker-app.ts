import { Controller, type INestMicroservice, type Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { type DomainEvent, newId } from '@millrace/domain';
import { BullMqServer, type BullMqServerOptions } from '../src/bullmq-server.js';
import { BullMqEventBus } from '../src/event-bus.bullmq.js';
import { type JobCatalog, JOBS, type PayloadOf } from '../src/job-catalog.js';
import type { JobContext } from '../src/job-context.js';
import { JobHandler } from '../src/job-handler.decorator.js';
import { JobProducer } from '../src/job-producer.js';
import type { QueueLocation } from '../src/queue-location.js';
import { MemoryJobLedger } from './memory-job-ledger.js';
import { RecordingLog } from './recording-log.js';

export type ConvertPayload = PayloadOf<'dataset.convert'>;
export type ConvertWork = (payload: ConvertPayload, context: JobContext) => Promise<unknown>;

/** A controller that handles `dataset.convert` with the given function. */
export function converter(work: ConvertWork): Type {
  @Controller()
  class Converter {
    @JobHandler('dataset.convert')
    convert(payload: ConvertPayload, context: JobContext): Promise<unknown> {
      return work(payload, context);
    }
  }
  return Converter;
}

export function convertPayload(): ConvertPayload {
  return { versionId: newId('version'), datasetId: newId('dataset') };
}

/** The catalog with other times for `dataset.convert`. */
export function catalogWith(times: { leaseMs?: number; timeLimitMs?: number }): JobCatalog {
  return { ...JOBS, 'dataset.convert': { ...JOBS['dataset.convert'], ...times } };
}

/** What the tests of the server share: one queue, a sender, a bus, a ledger, and the worker apps they start. */
export class Bench {
  readonly ledger = new MemoryJobLedger();
  readonly log = new RecordingLog();
  readonly ended: DomainEvent[] = [];
  readonly #apps: INestMicroservice[] = [];

  private constructor(
    readonly queueLocation: QueueLocation,
    readonly producer: JobProducer,
    readonly bus: BullMqEventBus,
  ) {}

  static async open(queueLocation: QueueLocation): Promise<Bench> {
    const logger = new RecordingLog();
    const [producer, bus] = await Promise.all([
      JobProducer.open({ queueLocation, logger }),
      BullMqEventBus.open({ queueLocation, logger }),
    ]);
    const bench = new Bench(queueLocation, producer, bus);
    await bus.subscribe('job.ended', (event) => bench.ended.push(event));
    return bench;
  }

  async startWorker(controllers: Type[], options: Partial<BullMqServerOptions> = {}): Promise<INestMicroservice> {
    const server = new BullMqServer({
      queues: [{ name: 'convert', concurrency: 2 }],
      ledger: this.ledger,
      events: this.bus,
      queueLocation: this.queueLocation,
      logger: this.log,
      ...options,
    });
    const module = await Test.createTestingModule({ controllers }).compile();
    const app = module.createNestMicroservice({ strategy: server, logger: false });
    this.#apps.push(app);
    await app.listen();
    return app;
  }

  /** Admits a conversion and sends it. */
  async send(payload: unknown = convertPayload()): Promise<ReturnType<MemoryJobLedger['admit']>> {
    const fence = this.ledger.admit({ kind: 'dataset.convert', payload });
    await this.producer.send([{ kind: 'dataset.convert', ...fence }]);
    return fence;
  }

  async close(): Promise<void> {
    await Promise.all(this.#apps.map((app) => app.close()));
    await Promise.all([this.producer.close(), this.bus.close()]);
  }
}
