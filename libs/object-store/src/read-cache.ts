import { DomainError, isId, type ObjectStore } from '@millrace/domain';
import type { Logger, Registry } from '@millrace/telemetry';
import { orAborted } from './abortable.js';
import { CacheEntry, type CacheKey, entryId } from './cache-entry.js';
import { CacheFolder, fileIdentity, type LeftCopy } from './cache-folder.js';
import { CacheMetrics, type EvictionReason } from './cache-metrics.js';
import { CacheShelf } from './cache-shelf.js';
import { hashFile } from './hash-file.js';
import { type KnownObject, ObjectFetcher } from './object-fetcher.js';
import { withinTime } from './within-time.js';

const MINUTE_MS = 60_000;
const HASH = /^[0-9a-f]{64}$/;

export interface ReadCacheOptions {
  /** Bytes of copies. Those that are in use may go beyond; all others go before that. */
  readonly bytesMax: number;
  /** Files at most, by the same rule; the default is 100,000. */
  readonly filesMax?: number;
  /**
   * How long a file that nobody uses is kept without a look whether the store still has its object; the default is
   * 10 minutes. 0: a file goes when its last user does.
   */
  readonly idleMsMax?: number;
  /** How long the store may take for one answer: a link, or one range of a file. The default is a minute. */
  readonly answerMsMax?: number;
  /** Bytes of a range; the default is 8 MiB. */
  readonly rangeBytes?: number;
}

export interface ReadCacheParts {
  readonly store: ObjectStore;
  /** A folder that all processes of this machine may share, on the disk of those who get links to its files. */
  readonly root: string;
  readonly metrics: Registry;
  readonly logger: Logger;
  readonly options: ReadCacheOptions;
}

export interface CacheRequest extends CacheKey, KnownObject {
  /** Ask the store whether it still has the object also when there is a local file. */
  readonly verify?: boolean | undefined;
  /** Ends the wait, and the fetch when nobody else waits for it. */
  readonly signal: AbortSignal;
}

/** A local file for as long as it is used. */
export interface CachedFile {
  readonly path: string;
  /**
   * Reads a copy again, for whoever has found its content unreadable. When it is damaged, whoever asks next has it
   * fetched anew. A link, which is the object itself, counts as intact.
   */
  isIntact(signal: AbortSignal): Promise<boolean>;
  /** Settles when the file has gone, if it is one that goes now. Never throws. */
  release(): Promise<void>;
}

/**
 * Local files of objects, by tenant and content. Each is fetched once however many ask for it, is only lent when its
 * bytes are those that the catalog knows, stays while it is used, and after that while there is room, the one used last
 * longest. On a store that is a local folder the files are hard links and cost nothing. What an ended process left is
 * used again once its bytes were found right (ADR 0025).
 */
export class ReadCache {
  private readonly store: ObjectStore;
  private readonly options: Required<Omit<ReadCacheOptions, 'rangeBytes'>>;
  private readonly fetcher: ObjectFetcher;
  private readonly metrics: CacheMetrics;
  private readonly shelf: CacheShelf;
  private readonly sweeper: NodeJS.Timeout | undefined;
  private readonly closing = new AbortController();
  private isSweeping = false;

  private constructor(
    private readonly folder: CacheFolder,
    { store, metrics, logger, options }: ReadCacheParts,
  ) {
    this.store = store;
    this.options = { filesMax: 100_000, idleMsMax: 10 * MINUTE_MS, answerMsMax: MINUTE_MS, ...options };
    this.metrics = new CacheMetrics(metrics, () => this.sizeBytes);
    this.shelf = new CacheShelf({ ...this.options, metrics: this.metrics, logger });
    const onBytes = (bytes: number): void => this.metrics.fetchedBytes(bytes);
    this.fetcher = new ObjectFetcher(store, { ...this.options, onBytes });
    const { idleMsMax } = this.options;
    if (idleMsMax > 0) this.sweeper = setInterval(() => void this.sweep(), idleMsMax / 2).unref();
  }

  /** Takes a place below the root, and over what an ended process left there. */
  static async open(parts: ReadCacheParts): Promise<ReadCache> {
    const folder = await CacheFolder.open(parts.root);
    const cache = new ReadCache(folder, parts);
    for (const left of await folder.takeOver()) await cache.takeOver(left);
    return cache;
  }

  /** Bytes of all copies. */
  get sizeBytes(): number {
    return this.shelf.sizeBytes;
  }

  /**
   * @throws DomainError `storage.object_missing`, `storage.object_corrupt` (the object has other bytes than were stored),
   *   `storage.unavailable`, `storage.full`; the signal's reason
   */
  async acquire(request: CacheRequest): Promise<CachedFile> {
    checkRequest(request);
    const askedAt = performance.now();
    for (;;) {
      request.signal.throwIfAborted();
      const entry = this.hold(request);
      try {
        const wasHere = entry.state === 'here';
        await orAborted(entry.ready, request.signal);
        // What was fetched meanwhile, by this call or another, needs no second look: so the second round is the last.
        const fault = entry.fetchedAt >= askedAt ? undefined : await this.findFault(entry, request);
        if (!fault && wasHere) this.metrics.asked('hit');
        if (!fault) return this.lend(entry);
        void this.shelf.takeAway(entry, fault);
      } catch (error) {
        void this.release(entry);
        throw error;
      }
      void this.release(entry);
    }
  }

  /** Leaves the copies to the next process. Nobody may use a file any more. */
  async close(): Promise<void> {
    clearInterval(this.sweeper);
    const reason = new DomainError('service.unavailable', 'The service is shutting down. Try again in a moment.');
    this.closing.abort(reason);
    const entries = this.shelf.all;
    for (const { abandon } of entries) abandon.abort(reason);
    await Promise.allSettled(entries.map(({ ready }) => ready));
    await Promise.all(entries.filter(({ isLink }) => isLink).map((entry) => this.shelf.takeAway(entry)));
    this.folder.close();
  }

  private async takeOver(left: LeftCopy): Promise<void> {
    const entry = this.shelf.add(CacheEntry.ofLeft(left));
    if (this.options.idleMsMax === 0) await this.shelf.takeAway(entry);
    this.shelf.makeRoom();
  }

  /** The entry of a request with one user more, and on its way if it is not here. */
  private hold(request: CacheRequest): CacheEntry {
    const { tenantId, contentHash } = request;
    const entry = this.shelf.find(entryId(request)) ?? this.shelf.add(new CacheEntry({ tenantId, contentHash }));
    entry.users += 1;
    entry.storageKey = request.storageKey;
    if (entry.state === 'coming') this.metrics.asked('shared');
    if (entry.state === 'unproven') this.bring(entry, request);
    return entry;
  }

  private bring(entry: CacheEntry, object: KnownObject): void {
    entry.state = 'coming';
    entry.ready = this.obtain(entry, object);
    // Whoever waits sees an error; when nobody does any more, nobody needs to.
    entry.ready.catch(() => this.shelf.takeAway(entry));
  }

  private async obtain(entry: CacheEntry, object: KnownObject): Promise<void> {
    if (await this.proveLeft(entry)) return;
    this.metrics.asked('miss');
    const { path, isLink } = await this.fetcher.fetch(object, {
      path: this.folder.newPath(entry.key.tenantId, entry.key.contentHash),
      signal: entry.abandon.signal,
      onCopy: () => this.shelf.count(entry, object.sizeBytes),
      makeRoom: () => this.shelf.dropIdleCopies(),
    });
    Object.assign(entry, { path, isLink, identity: await fileIdentity(path) });
    entry.fetchedAt = performance.now();
    entry.state = 'here';
  }

  /** Whether an earlier process left the right bytes; what it left is removed when it did not. */
  private async proveLeft(entry: CacheEntry): Promise<boolean> {
    const { path } = entry;
    if (path === undefined) return false;
    const identity = await fileIdentity(path);
    if (await this.hasRightBytes(entry, entry.abandon.signal)) {
      entry.identity = identity;
      entry.state = 'here';
      this.metrics.asked('hit');
      return true;
    }
    await this.shelf.replace(entry);
    return false;
  }

  private async hasRightBytes({ path = '', key }: CacheEntry, signal: AbortSignal): Promise<boolean> {
    try {
      return (await hashFile(path, signal)).contentHash === key.contentHash;
    } catch {
      signal.throwIfAborted();
      return false;
    }
  }

  /** Why a file that is here may not be lent, if so. */
  private async findFault(entry: CacheEntry, request: CacheRequest): Promise<EvictionReason | undefined> {
    const identity = await fileIdentity(entry.path ?? '').catch(() => undefined);
    if (identity === undefined) return 'gone';
    if (identity !== entry.identity) return 'damaged';
    return request.verify === true && !(await this.isStored(request)) ? 'gone' : undefined;
  }

  private async isStored({ storageKey, signal }: { storageKey: string; signal: AbortSignal }): Promise<boolean> {
    try {
      const limit = { limitMs: this.options.answerMsMax, signal };
      return (await withinTime(limit, (timed) => this.store.find(storageKey, { signal: timed }))) !== undefined;
    } catch {
      // A store that does not answer is no reason to refuse, or to drop, what is here.
      signal.throwIfAborted();
      return true;
    }
  }

  private lend(entry: CacheEntry): CachedFile {
    let isReleased = false;
    return {
      path: entry.path ?? '',
      isIntact: (signal) => orAborted(this.check(entry), signal),
      release: async () => {
        if (isReleased) return;
        isReleased = true;
        await this.release(entry);
      },
    };
  }

  private async check(entry: CacheEntry): Promise<boolean> {
    if (entry.isLink) return true;
    entry.checking ??= this.hasRightBytes(entry, this.closing.signal).finally(() => (entry.checking = undefined));
    const isIntact = await entry.checking;
    if (!isIntact) void this.shelf.takeAway(entry, 'damaged');
    return isIntact;
  }

  private async release(entry: CacheEntry): Promise<void> {
    entry.users -= 1;
    if (entry.users > 0) return;
    if (!this.shelf.has(entry)) return this.shelf.remove(entry);
    if (entry.state === 'coming') {
      entry.abandon.abort(new DomainError('query.cancelled', 'Nobody waits for the file any more.'));
      return this.shelf.takeAway(entry);
    }
    if (this.options.idleMsMax === 0) return this.shelf.takeAway(entry);
    this.shelf.putBack(entry);
  }

  /** The bytes of a table that was deleted shall go. */
  private async sweep(): Promise<void> {
    if (this.isSweeping) return;
    this.isSweeping = true;
    const before = performance.now() - this.options.idleMsMax;
    const isDue = ({ isIdle, idleSince }: CacheEntry): boolean => isIdle && idleSince < before;
    for (const entry of this.shelf.all.filter(isDue)) {
      const isKept = await this.isWorthKeeping(entry).catch(() => true);
      if (!isDue(entry)) continue;
      if (isKept) entry.idleSince = performance.now();
      else void this.shelf.takeAway(entry, 'idle');
    }
    this.isSweeping = false;
  }

  /** A link is made again for nothing. Of what an earlier process left, and nobody has asked for, the key is not known. */
  private async isWorthKeeping({ isLink, storageKey }: CacheEntry): Promise<boolean> {
    return !isLink && storageKey !== undefined && this.isStored({ storageKey, signal: this.closing.signal });
  }
}

/** They become a path. @throws RangeError: a programmer's error, since they come from the catalog */
function checkRequest({ tenantId, contentHash, sizeBytes }: CacheRequest): void {
  const isClean =
    isId('tenant', tenantId) && HASH.test(contentHash) && Number.isSafeInteger(sizeBytes) && sizeBytes >= 0;
  if (!isClean)
    throw new RangeError(`Not a file for the cache: ${JSON.stringify({ tenantId, contentHash, sizeBytes })}`);
}
