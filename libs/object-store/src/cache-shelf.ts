import { rm } from 'node:fs/promises';
import type { Logger } from '@millrace/telemetry';
import type { CacheEntry } from './cache-entry.js';
import type { CacheMetrics, EvictionReason } from './cache-metrics.js';

export interface CacheShelfParts {
  /** Bytes of copies, and files, at most; what is in use may go beyond. */
  readonly bytesMax: number;
  readonly filesMax: number;
  readonly metrics: CacheMetrics;
  readonly logger: Logger;
}

/** Which files a read cache has, and which of them go when there is no room: of those that nobody uses the one used last. */
export class CacheShelf {
  /** Those that nobody uses in the order in which that began. */
  private readonly entries = new Map<string, CacheEntry>();
  private bytes = 0;

  constructor(private readonly parts: CacheShelfParts) {}

  /** Bytes of all copies. */
  get sizeBytes(): number {
    return this.bytes;
  }

  get all(): CacheEntry[] {
    return [...this.entries.values()];
  }

  find(id: string): CacheEntry | undefined {
    return this.entries.get(id);
  }

  has(entry: CacheEntry): boolean {
    return this.entries.get(entry.id) === entry;
  }

  /** In the place of one of the same bytes, if there is one. */
  add(entry: CacheEntry): CacheEntry {
    const earlier = this.find(entry.id);
    if (earlier) void this.takeAway(earlier);
    this.entries.set(entry.id, entry);
    this.bytes += entry.bytes;
    return entry;
  }

  /** What an entry takes from now on; nothing once it was taken away. */
  count(entry: CacheEntry, bytes: number): void {
    if (!this.has(entry)) return;
    this.bytes += bytes - entry.bytes;
    entry.bytes = bytes;
    this.makeRoom();
  }

  /** Says that nobody uses an entry any more. */
  putBack(entry: CacheEntry): void {
    entry.idleSince = performance.now();
    this.entries.delete(entry.id);
    this.entries.set(entry.id, entry);
    this.makeRoom();
  }

  /** Whoever asks next has it fetched anew. The file goes now, or when its last user calls `remove`. */
  async takeAway(entry: CacheEntry, reason?: EvictionReason): Promise<void> {
    if (!this.has(entry)) return;
    this.entries.delete(entry.id);
    this.bytes -= entry.bytes;
    if (reason) this.noteEviction(entry, reason);
    if (entry.users === 0) await this.remove(entry);
  }

  /** Removes the file of an entry that was taken away and that nobody uses. Never throws. */
  async remove(entry: CacheEntry): Promise<void> {
    await entry.ready.catch(() => undefined);
    await this.removeFile(entry);
  }

  /** Removes the file of an entry and keeps the entry for another one. */
  async replace(entry: CacheEntry): Promise<void> {
    this.noteEviction(entry, 'damaged');
    await this.removeFile(entry);
    this.count(entry, 0);
  }

  makeRoom(): void {
    const { bytesMax, filesMax } = this.parts;
    for (const entry of this.entries.values()) {
      const isTooFull = this.bytes > bytesMax;
      if (!isTooFull && this.entries.size <= filesMax) return;
      // A link takes no bytes: to drop it would make no room for any.
      if (entry.isIdle && (!isTooFull || entry.bytes > 0)) void this.takeAway(entry, 'room');
    }
  }

  /** Frees all that can be freed. @returns whether there was something */
  async dropIdleCopies(): Promise<boolean> {
    const idle = this.all.filter(({ isIdle, bytes }) => isIdle && bytes > 0);
    await Promise.all(idle.map((entry) => this.takeAway(entry, 'room')));
    return idle.length > 0;
  }

  /** What can't be removed now is removed, or taken over, by the next process. */
  private async removeFile(entry: CacheEntry): Promise<void> {
    const { path } = entry;
    entry.path = undefined;
    if (path !== undefined) await rm(path, { force: true }).catch(() => undefined);
  }

  private noteEviction({ key, storageKey }: CacheEntry, reason: EvictionReason): void {
    this.parts.metrics.evicted(reason);
    if (reason === 'damaged') {
      this.parts.logger.warn({ ...key, storageKey }, 'a local copy is not what was fetched, and goes');
    }
  }
}
