import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Catalog, JsonObject, Upload } from '@millrace/catalog';
import { parseEnvironment } from '@millrace/config';
import {
  type DatasetId,
  type DomainEvent,
  isTerminal,
  type JobId,
  jobLifecycle,
  newId,
  type TenantId,
  type UploadId,
  type UserId,
} from '@millrace/domain';
import { BlobWriter, FolderObjectStore, objectKeys } from '@millrace/object-store';
import { BullMqEventBus, describeJob, migrateQueue } from '@millrace/queue';
import { createLogger, Registry } from '@millrace/telemetry';
import {
  createTenant,
  eventually,
  FaultyObjectStore,
  openCatalog,
  registeredKeys,
  type TestCatalog,
  versionOfJob,
} from '@millrace/testing';
import { type ConvertWorker, startConvertWorker } from '../src/start-convert-worker.js';
import { Housekeeper } from './housekeeper.js';

const DAY_MS = 24 * 60 * 60_000;

export interface Owner {
  readonly tenantId: TenantId;
  readonly userId: UserId;
}

export interface WaitingDataset {
  readonly tenantId: TenantId;
  readonly id: DatasetId;
  readonly jobId: JobId;
}

export interface DatasetOptions {
  readonly tableName?: string;
  readonly sourceConfig?: JsonObject;
  readonly attemptsMax?: number;
}

/** What the specs of this service share: a database, a store whose calls can fail, a bus, and the workers they start. */
export class ConvertBench {
  /** Every `job.ended` since the bench was opened. */
  readonly ended: DomainEvent[] = [];
  /** Every line that workers logged, as JSON. */
  readonly lines: string[] = [];
  #workers: ConvertWorker[] = [];

  private constructor(
    readonly database: TestCatalog,
    readonly store: FaultyObjectStore,
    readonly events: BullMqEventBus,
    readonly housekeeper: Housekeeper,
    readonly folder: string,
  ) {}

  static async open(): Promise<ConvertBench> {
    const database = await openCatalog({ blobGraceMs: 0 });
    const { databaseUrl, catalog } = database;
    const queueLocation = { kind: 'postgres', databaseUrl } as const;
    await migrateQueue(queueLocation);
    const folder = await mkdtemp(join(tmpdir(), 'millrace-convert-'));
    // Engine processes run as another user and have to pass.
    await chmod(folder, 0o711);
    const store = new FaultyObjectStore(await new FolderObjectStore(join(folder, 'objects')).open());
    const events = await BullMqEventBus.open({
      queueLocation,
      logger: createLogger({ level: 'silent', service: 'test' }),
    });
    const bench = new ConvertBench(database, store, events, await Housekeeper.start(catalog, queueLocation), folder);
    await events.subscribe('job.ended', (event) => bench.ended.push(event));
    return bench;
  }

  get catalog(): Catalog {
    return this.database.catalog;
  }

  get engineFolder(): string {
    return join(this.folder, 'engine');
  }

  /** A worker with short times; `variables` are those of the environment. */
  async startWorker(
    variables: Readonly<Record<string, string>> = {},
    { catalog = this.catalog } = {},
  ): Promise<ConvertWorker & { readonly metrics: Registry }> {
    const { store, events, database, engineFolder } = this;
    const stream = { write: (line: string) => void this.lines.push(line) };
    const metrics = new Registry();
    const worker = await startConvertWorker({
      environment: parseEnvironment({
        LEASE_MS: '1000',
        DRAIN_MS: '10000',
        CONVERT_MEMORY_BYTES: '268435456',
        ...variables,
      }),
      queueLocation: { kind: 'postgres', databaseUrl: database.databaseUrl },
      ...{ catalog, store, events, metrics, engineFolder },
      logger: createLogger({ level: 'info', service: 'convert-worker', stream }),
    });
    this.#workers.push(worker);
    return { ...worker, metrics };
  }

  async closeWorkers(): Promise<void> {
    await Promise.all(this.#workers.splice(0).map((worker) => worker.close()));
  }

  async newOwner(): Promise<Owner> {
    const { tenantId, member } = await createTenant(this.catalog);
    return { tenantId, userId: member.principal.userId };
  }

  async upload(owner: Owner, content: string | Uint8Array, about: Partial<Upload> = {}): Promise<Upload> {
    const { tenantId } = owner;
    const writer = new BlobWriter(this.store, this.catalog.blobs, { leaseMs: DAY_MS });
    const blob = await writer.write({ tenantId, storageKey: objectKeys.upload(tenantId) }, { body: once(content) });
    return this.catalog.uploads.commit({
      ...{ ...owner, blob },
      expiresInMs: DAY_MS,
      fileName: about.fileName ?? undefined,
      contentType: about.contentType ?? undefined,
    });
  }

  /** A dataset whose conversion is queued. */
  async createDataset(owner: Owner, uploadId: UploadId, options: DatasetOptions = {}): Promise<WaitingDataset> {
    const [id, versionId] = [newId('dataset'), newId('version')];
    const { tableName = `t_${id.slice(-12)}`, sourceConfig = {}, attemptsMax = 3 } = options;
    const job = { id: newId('job'), ...describeJob('dataset.convert', { datasetId: id, versionId }), attemptsMax };
    const source = { type: 'upload', uploadId } as const;
    await this.catalog.datasets.create({
      ...owner,
      id,
      versionId,
      label: 'A label',
      tableName,
      source,
      sourceConfig,
      job,
    });
    return { tenantId: owner.tenantId, id, jobId: job.id };
  }

  /** A file that is uploaded and whose conversion is queued. */
  async uploadDataset(
    owner: Owner,
    content: string | Uint8Array,
    options: DatasetOptions = {},
  ): Promise<WaitingDataset> {
    return this.createDataset(owner, (await this.upload(owner, content)).id, options);
  }

  /** Waits until the job of a dataset has ended; gives both. */
  async ends({ tenantId, id, jobId }: WaitingDataset) {
    const look = () => this.catalog.jobs.get(tenantId, jobId);
    await eventually(`the job of ${id} has ended`, async () => isTerminal(jobLifecycle, (await look()).status));
    const job = await look();
    return { job, version: await versionOfJob(this.catalog, { tenantId, jobId }) };
  }

  jobOf({ tenantId, jobId }: WaitingDataset) {
    return this.catalog.jobs.get(tenantId, jobId);
  }

  async keysInStore(): Promise<string[]> {
    const keys: string[] = [];
    for await (const { key } of this.store.list('')) keys.push(key);
    return keys.sort();
  }

  /** Waits until the register and the store name the same keys, and all of them are referred to. */
  async expectNoOrphans(): Promise<void> {
    await eventually('no orphan', async () => {
      const registered = await registeredKeys(this.catalog);
      return registered.join() === (await this.keysInStore()).join() && (await this.countNotLive()) === 0;
    });
  }

  private async countNotLive(): Promise<number> {
    const [row] = await this.catalog.transaction<{ count: number }[]>((transaction) =>
      transaction.query(`SELECT count(*) AS count FROM blobs WHERE status <> 'live'`),
    );
    return row?.count ?? 0;
  }

  /** Files of this machine that no engine process needs: sources and outputs. */
  async localFiles(): Promise<string[]> {
    const entries = await readdir(this.engineFolder, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    return files.filter((path) => !path.includes('/children/') && !path.endsWith('.lock'));
  }

  async close(): Promise<void> {
    await this.closeWorkers();
    await this.housekeeper.close();
    await this.events.close();
    await this.database.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}

async function* once(content: string | Uint8Array): AsyncGenerator<Uint8Array> {
  yield Buffer.from(content);
}
