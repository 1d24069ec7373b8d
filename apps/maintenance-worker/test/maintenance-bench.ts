import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Catalog } from '@millrace/catalog';
import { parseEnvironment } from '@millrace/config';
import { type DomainEvent, newId, type ResultId, type TenantId, type UserId, type WrittenBlob } from '@millrace/domain';
import { BlobWriter, FolderObjectStore, objectKeys } from '@millrace/object-store';
import { BullMqEventBus, describeJob, migrateQueue, type QueueLocation } from '@millrace/queue';
import { createLogger, Registry } from '@millrace/telemetry';
import {
  createResult,
  createTenant,
  eventually,
  FaultyObjectStore,
  openCatalog,
  registeredKeys,
  type TestCatalog,
} from '@millrace/testing';
import { type MaintenanceWorker, startMaintenanceWorker } from '../src/start-maintenance-worker.js';

const LEASE_MS = 500;
const DAY_MS = 24 * 60 * 60_000;

export interface Owner {
  readonly tenantId: TenantId;
  readonly userId: UserId;
}

export interface StartedWorker extends MaintenanceWorker {
  readonly metrics: Registry;
}

interface BenchOptions {
  readonly blobGraceMs?: number;
  readonly queueLocation?: QueueLocation;
}

interface BenchParts {
  readonly database: TestCatalog;
  readonly queueLocation: QueueLocation;
  readonly store: FaultyObjectStore;
  readonly events: BullMqEventBus;
  readonly folder: string;
}

/** What the specs of this service share: a database, a store whose calls can fail, a bus, and the workers they start. */
export class MaintenanceBench {
  /** Every event since the bench was opened. */
  readonly heard: DomainEvent[] = [];
  /** Every line that workers logged, as JSON. */
  readonly lines: string[] = [];
  #workers: MaintenanceWorker[] = [];

  readonly database: TestCatalog;
  readonly queueLocation: QueueLocation;
  readonly store: FaultyObjectStore;
  readonly events: BullMqEventBus;
  private readonly folder: string;

  private constructor({ database, queueLocation, store, events, folder }: BenchParts) {
    this.database = database;
    this.queueLocation = queueLocation;
    this.store = store;
    this.events = events;
    this.folder = folder;
  }

  /** On a database of its own, which has the queue as well unless that is said to be elsewhere. */
  static async open({ blobGraceMs = 0, queueLocation: elsewhere }: BenchOptions = {}): Promise<MaintenanceBench> {
    const database = await openCatalog({ blobGraceMs });
    const queueLocation = elsewhere ?? ({ kind: 'postgres', databaseUrl: database.databaseUrl } as const);
    await migrateQueue(queueLocation);
    const folder = await mkdtemp(join(tmpdir(), 'millrace-maintenance-'));
    const store = new FaultyObjectStore(await new FolderObjectStore(join(folder, 'objects')).open());
    const logger = createLogger({ level: 'silent', service: 'test' });
    const events = await BullMqEventBus.open({ queueLocation, logger });
    const bench = new MaintenanceBench({ database, queueLocation, store, events, folder });
    for (const type of ['job.ended', 'result.settled'] as const) {
      await events.subscribe(type, (event) => bench.heard.push(event));
    }
    return bench;
  }

  get catalog(): Catalog {
    return this.database.catalog;
  }

  /** A worker with short times; `variables` are those of the environment. */
  async startWorker(variables: Readonly<Record<string, string>> = {}): Promise<StartedWorker> {
    const { catalog, queueLocation, store, events } = this;
    const stream = { write: (line: string) => void this.lines.push(line) };
    const metrics = new Registry();
    const worker = await startMaintenanceWorker({
      environment: parseEnvironment({
        LEASE_MS: `${LEASE_MS}`,
        SWEEP_INTERVAL_MS: '100',
        DRAIN_MS: '200',
        ...variables,
      }),
      ...{ queueLocation, catalog, store, events, metrics },
      logger: createLogger({ level: 'info', service: 'maintenance-worker', stream }),
    });
    this.#workers.push(worker);
    return { ...worker, metrics };
  }

  async closeWorkers(): Promise<void> {
    await Promise.all(this.#workers.splice(0).map((worker) => worker.close()));
    const late = this.lines.filter((line) => line.includes('in time'));
    if (late.length > 0) throw new Error(`something did not end: ${late.join('')}`);
  }

  async newOwner(): Promise<Owner> {
    const { tenantId, member } = await createTenant(this.catalog);
    return { tenantId, userId: member.principal.userId };
  }

  /** An object in the store whose key is registered as being written. */
  async write({ tenantId }: Owner, content: Uint8Array | string): Promise<WrittenBlob> {
    const writer = new BlobWriter(this.store, this.catalog.blobs, { leaseMs: DAY_MS });
    const key = { tenantId, storageKey: objectKeys.result({ tenantId, resultId: newId('result') }) };
    const body = (async function* () {
      yield Buffer.from(content);
    })();
    return writer.write(key, { body });
  }

  /** A result whose file is in the store and whose job is queued: one row, one column unless said otherwise. */
  async storeResult(
    owner: Owner,
    file: Uint8Array | string,
    { attemptsMax = 5, expiresInMs = DAY_MS, blob = {} as Partial<WrittenBlob> } = {},
  ): Promise<{ tenantId: TenantId; id: ResultId; storageKey: string }> {
    const { tenantId } = owner;
    const { resultId: id } = await createResult(this.catalog, owner, { leaseMs: DAY_MS, expiresInMs });
    const written = { ...(await this.write(owner, file)), ...blob };
    const job = { id: newId('job'), ...describeJob('result.persist', { resultId: id }), attemptsMax };
    await this.catalog.results.stored({ tenantId, id }, { blob: written, job, leaseMs: DAY_MS });
    return { tenantId, id, storageKey: written.storageKey };
  }

  /** Runs a statement on the database, which the queue shares. */
  async query<Row>(text: string, values: unknown[] = []): Promise<Row[]> {
    const answer: unknown = await this.catalog.transaction((transaction) => transaction.query(text, values));
    return (Array.isArray(answer) && Array.isArray(answer[0]) ? answer[0] : answer) as Row[];
  }

  async keysInStore(): Promise<string[]> {
    const keys: string[] = [];
    for await (const { key } of this.store.list('')) keys.push(key);
    return keys.sort();
  }

  /** Waits until the register and the store name the same keys. */
  async expectNoOrphans(): Promise<void> {
    const seen = { register: [''], store: [''] };
    await eventually('no orphan', async () => {
      seen.register = await registeredKeys(this.catalog);
      seen.store = await this.keysInStore();
      return seen.register.join() === seen.store.join();
    }).catch((error: unknown) => {
      throw new Error(`${String(error)}: ${JSON.stringify(seen)}`, { cause: error });
    });
  }

  async close(): Promise<void> {
    await this.closeWorkers();
    await this.events.close();
    await this.database.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}
