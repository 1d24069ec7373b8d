import { setTimeout as sleep } from 'node:timers/promises';
import type { Catalog } from '@millrace/catalog';
import { JobProducer, type QueueLocation } from '@millrace/queue';
import type { ObjectStore } from '@millrace/domain';
import { createLogger } from '@millrace/telemetry';

const INTERVAL_MS = 50;
const ADMISSION_LEASE_MS = 30_000;

/**
 * Does for the tests what the maintenance worker does for the platform, which an app may not import: hands jobs to the
 * queue, ends lost attempts, deletes what nothing refers to.
 */
export class Housekeeper {
  #closing = new AbortController();
  readonly #errors: unknown[] = [];
  #running: Promise<void>;
  /** Deletes due blobs from here; nothing is deleted while there is none. */
  store: ObjectStore | undefined;

  private constructor(
    private readonly catalog: Catalog,
    readonly producer: JobProducer,
  ) {
    this.#running = this.#run();
  }

  static async start(catalog: Catalog, queueLocation: QueueLocation): Promise<Housekeeper> {
    const logger = createLogger({ level: 'silent', service: 'test' });
    return new Housekeeper(catalog, await JobProducer.open({ queueLocation, logger }));
  }

  async pause(): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  resume(): void {
    this.#closing = new AbortController();
    this.#running = this.#run();
  }

  async close(): Promise<void> {
    await this.pause();
    await this.producer.close();
    if (this.#errors.length > 0) throw new AggregateError(this.#errors, 'the housekeeper had errors');
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        await this.#dispatch();
        await this.catalog.jobs.sweepRunning();
        await this.#sweepBlobs();
      } catch (error) {
        this.#errors.push(error);
      }
      await sleep(INTERVAL_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  async #dispatch(): Promise<void> {
    const request = { kinds: ['dataset.convert'], admittedMax: 100, leaseMs: ADMISSION_LEASE_MS };
    await this.producer.send(await this.catalog.jobs.admit(request));
  }

  async #sweepBlobs(): Promise<void> {
    if (!this.store) return;
    for (const key of await this.catalog.blobs.takeDue({ limit: 100 })) {
      await this.store.delete(key.storageKey);
      await this.catalog.blobs.removed(key);
    }
  }
}
