import { createHash } from 'node:crypto';
import { access, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DomainError, type ObjectStore } from '@millrace/domain';
import { orAborted, withTimeLimit } from '../time-limit.js';

const GiB = 1024 ** 3;
const MINUTE_MS = 60_000;

export interface FileCacheOptions {
  /** Bytes of files that nobody uses and that are kept for the next one. What is in use may go beyond. */
  readonly bytesMax: number;
  /** How long a file that nobody uses is kept: the bytes of a table that was deleted shall go. */
  readonly idleMsMax: number;
  /** How long the store may take for one file. */
  readonly fetchMsMax: number;
}

export const DEFAULT_FILE_CACHE_OPTIONS: FileCacheOptions = {
  bytesMax: 20 * GiB,
  idleMsMax: 10 * MINUTE_MS,
  fetchMsMax: 10 * MINUTE_MS,
};

export interface CacheRequest {
  readonly storageKey: string;
  readonly sizeBytes: number;
  /** Ask the store whether it still has the object also when there is a local copy. */
  readonly verify?: boolean | undefined;
  /** Ends the wait, and the fetch when nobody else waits for it. */
  readonly signal: AbortSignal;
}

/** A local file for as long as it is used. */
export interface CachedFile {
  readonly path: string;
  release(): void;
}

interface Entry {
  readonly storageKey: string;
  readonly sizeBytes: number;
  readonly path: string;
  readonly fetched: Promise<void>;
  readonly abandon: AbortController;
  isFetched: boolean;
  users: number;
  idleSince: number;
}

/**
 * Local copies of objects, which never change, by their keys. Each is fetched once however many ask for it, stays while
 * it is used, and after that as long as there is room, the one used last longest. On a store that is a local folder the
 * copies are hard links and cost nothing.
 */
export class FileCache {
  /** Those that nobody uses in the order in which that began. */
  private readonly entries = new Map<string, Entry>();
  private readonly sweeper: NodeJS.Timeout;
  private bytes = 0;
  private fetchCount = 0;

  constructor(
    private readonly store: ObjectStore,
    private readonly folder: string,
    private readonly options: FileCacheOptions = DEFAULT_FILE_CACHE_OPTIONS,
  ) {
    this.sweeper = setInterval(() => this.dropIdle(), options.idleMsMax / 2);
    this.sweeper.unref();
  }

  /** Bytes of all copies. */
  get sizeBytes(): number {
    return this.bytes;
  }

  /** @throws DomainError `storage.object_missing`, `storage.unavailable`, `storage.full`; the signal's reason */
  async acquire(request: CacheRequest): Promise<CachedFile> {
    const entry = (await this.holdPresent(request)) ?? this.holdFetch(request);
    try {
      await orAborted(entry.fetched, request.signal);
    } catch (error) {
      this.release(entry);
      throw error;
    }
    let isReleased = false;
    const release = (): void => {
      if (!isReleased) this.release(entry);
      isReleased = true;
    };
    return { path: entry.path, release };
  }

  /** Removes the folder; nobody may use a file any more. */
  async close(): Promise<void> {
    clearInterval(this.sweeper);
    for (const { abandon } of this.entries.values()) abandon.abort();
    this.entries.clear();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** The entry of a key, held, unless its file, or the object that it is a copy of, has gone. */
  private async holdPresent(request: CacheRequest): Promise<Entry | undefined> {
    const entry = this.entries.get(request.storageKey);
    if (!entry) return undefined;
    entry.users += 1;
    try {
      if (!entry.isFetched || (await this.isWhole(entry, request))) return entry;
    } catch (error) {
      this.release(entry);
      throw error;
    }
    this.forget(entry);
    this.release(entry);
    return undefined;
  }

  private async isWhole({ storageKey, path }: Entry, { verify, signal }: CacheRequest): Promise<boolean> {
    if (!(await exists(path))) return false;
    if (verify !== true) return true;
    try {
      return (await this.store.find(storageKey, { signal })) !== undefined;
    } catch {
      // A store that does not answer is no reason to refuse what is here.
      signal.throwIfAborted();
      return true;
    }
  }

  /** The entry of a key, held, with a fetch begun now unless somebody has begun one while we looked. */
  private holdFetch(request: CacheRequest): Entry {
    const entry = this.entries.get(request.storageKey) ?? this.fetch(request);
    entry.users += 1;
    this.makeRoom();
    return entry;
  }

  private fetch({ storageKey, sizeBytes }: CacheRequest): Entry {
    const hash = createHash('sha256').update(storageKey).digest('hex').slice(0, 32);
    this.fetchCount += 1;
    const path = join(this.folder, `${hash}-${this.fetchCount}.parquet`);
    const abandon = new AbortController();
    const fetched = this.materialize({ storageKey, path }, abandon.signal);
    const state = { isFetched: false, users: 0, idleSince: 0 };
    const entry: Entry = { storageKey, sizeBytes, path, abandon, fetched, ...state };
    this.entries.set(storageKey, entry);
    this.bytes += sizeBytes;
    // Whoever waits sees an error; when nobody does any more, nobody needs to.
    void fetched.then(
      () => (entry.isFetched = true),
      () => this.forget(entry),
    );
    return entry;
  }

  private materialize(file: { storageKey: string; path: string }, signal: AbortSignal): Promise<void> {
    const reason = (): DomainError =>
      new DomainError('storage.unavailable', 'The object store takes too long. Try again in a moment.');
    const limit = { limitMs: this.options.fetchMsMax, reason, signal };
    return withTimeLimit(limit, (timed) => this.store.materialize(file.storageKey, file.path, { signal: timed }));
  }

  private release(entry: Entry): void {
    entry.users -= 1;
    if (entry.users > 0) return;
    if (this.entries.get(entry.storageKey) !== entry) return this.removeFile(entry);
    if (!entry.isFetched) {
      entry.abandon.abort(new DomainError('query.cancelled', 'Nobody waits for the file any more.'));
      return this.forget(entry);
    }
    entry.idleSince = performance.now();
    this.entries.delete(entry.storageKey);
    this.entries.set(entry.storageKey, entry);
    this.makeRoom();
  }

  private makeRoom(): void {
    for (const entry of this.entries.values()) {
      if (this.bytes <= this.options.bytesMax) return;
      if (entry.users === 0 && entry.isFetched) this.forget(entry);
    }
  }

  private dropIdle(): void {
    const before = performance.now() - this.options.idleMsMax;
    for (const entry of this.entries.values()) {
      if (entry.users === 0 && entry.isFetched && entry.idleSince < before) this.forget(entry);
    }
  }

  /** Whoever asks next fetches anew. The file goes when its last user does. */
  private forget(entry: Entry): void {
    if (this.entries.get(entry.storageKey) !== entry) return;
    this.entries.delete(entry.storageKey);
    this.bytes -= entry.sizeBytes;
    if (entry.users === 0) this.removeFile(entry);
  }

  /** A file that can't be removed now goes with the folder. */
  private removeFile({ path, fetched }: Entry): void {
    const remove = (): Promise<void> => rm(path, { force: true }).catch(() => undefined);
    void fetched.then(remove, remove);
  }
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
