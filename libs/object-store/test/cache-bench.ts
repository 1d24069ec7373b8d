import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newId, type TenantId } from '@millrace/domain';
import { createLogger, Registry } from '@millrace/telemetry';
import { eventually } from '@millrace/testing/eventually';
import { FaultyObjectStore } from '@millrace/testing/faulty-object-store';
import { FolderObjectStore, objectKeys, ReadCache, type ReadCacheOptions } from '../src/index.js';

export const KiB = 1024;

const OPTIONS: ReadCacheOptions = { bytesMax: 1_000, rangeBytes: 100 };

/** An object as the catalog knows it. */
export interface KnownFile {
  readonly tenantId: TenantId;
  readonly storageKey: string;
  readonly contentHash: string;
  readonly sizeBytes: number;
}

export interface Wanted {
  readonly verify?: boolean;
  readonly signal?: AbortSignal;
}

/** A real folder store with faults, and read caches over it. */
export class CacheBench {
  readonly lines: string[] = [];
  readonly tenantId = newId('tenant');
  /** Of the cache that was opened last. */
  registry = new Registry();
  #cache: ReadCache | undefined;

  private constructor(
    readonly folder: string,
    readonly objects: FolderObjectStore,
    readonly store: FaultyObjectStore,
  ) {}

  /** @param place `far`: objects can't be linked, as on another machine */
  static async open(place: 'near' | 'far', options: Partial<ReadCacheOptions> = {}): Promise<CacheBench> {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-cache-'));
    const objects = await new FolderObjectStore(join(folder, 'objects')).open();
    const store = new FaultyObjectStore(objects);
    if (place === 'far') store.moveAway();
    const bench = new CacheBench(folder, objects, store);
    await bench.openCache(options);
    return bench;
  }

  /** Where all caches of the bench have their places. */
  get root(): string {
    return join(this.folder, 'cache');
  }

  get cache(): ReadCache {
    if (!this.#cache) throw new Error('no cache is open');
    return this.#cache;
  }

  /** Another cache on the same folder. */
  async openCache(options: Partial<ReadCacheOptions> = {}): Promise<ReadCache> {
    this.registry = new Registry();
    this.#cache = await ReadCache.open({
      store: this.store,
      root: this.root,
      metrics: this.registry,
      logger: createLogger({ level: 'info', service: 'test', stream: { write: (line) => void this.lines.push(line) } }),
      options: { ...OPTIONS, ...options },
    });
    return this.#cache;
  }

  /** What a new process would see. */
  async restart(options: Partial<ReadCacheOptions> = {}): Promise<void> {
    await this.cache.close();
    await this.openCache(options);
  }

  async put(content: string | Buffer, tenantId = this.tenantId): Promise<KnownFile> {
    const bytes = Buffer.from(content);
    const storageKey = objectKeys.upload(tenantId);
    await this.objects.put(storageKey, once(bytes));
    const contentHash = createHash('sha256').update(bytes).digest('hex');
    return { tenantId, storageKey, contentHash, sizeBytes: bytes.length };
  }

  /** Objects of so many bytes each, all different. */
  putMany(count: number, sizeBytes: number): Promise<KnownFile[]> {
    return Promise.all(Array.from({ length: count }, (_, index) => this.put(String(index).padEnd(sizeBytes, '.'))));
  }

  objectPath({ storageKey }: KnownFile): string {
    return join(this.objects.root, storageKey);
  }

  acquire(file: KnownFile, wanted: Wanted = {}) {
    return this.cache.acquire({ ...file, signal: new AbortController().signal, ...wanted });
  }

  /** Acquires and releases. */
  async touch(file: KnownFile, wanted: Wanted = {}): Promise<void> {
    await (await this.acquire(file, wanted)).release();
  }

  countCalls(call: 'get' | 'link' | 'find'): number {
    return this.store.calls.filter((each) => each.call === call).length;
  }

  /** A metric by its name and the value of its only label. */
  async metric(name: string, label?: string): Promise<number> {
    const metric = await this.registry.getSingleMetric(`millrace_cache_${name}`)?.get();
    const value = metric?.values.find(({ labels }) => label === undefined || Object.values(labels).includes(label));
    return value?.value ?? 0;
  }

  /** Files of all places, with the tenant's folder in front. */
  async files(): Promise<string[]> {
    const entries = await readdir(this.root, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile() && !entry.name.endsWith('.lock'));
    return files.map((entry) => join(entry.parentPath, entry.name).slice(this.root.length + 1));
  }

  filesLeft(count: number): Promise<string[]> {
    return eventually(`the cache has ${count} files`, async () => {
      const files = await this.files();
      return files.length === count && files;
    });
  }

  async close(): Promise<void> {
    await this.cache.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}

async function* once(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes;
}
