import { rm, type FileHandle } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { DomainError, Slots, type ByteRange, type ObjectStore } from '@millrace/domain';
import { abortable } from './abortable.js';
import { FILE_MODE, openNewFile, writeAll } from './folder-files.js';
import { withStorageErrors } from './storage-error.js';
import { withinTime } from './within-time.js';

const MiB = 1024 ** 2;

export interface RangedDownloadsOptions {
  /** How long the store may take for one range. */
  readonly rangeMsMax: number;
  /** The default is 8 MiB: long enough that asking for it costs little, and short enough to take turns. */
  readonly rangeBytes?: number;
  /** Called with the number of bytes that came. */
  readonly onBytes?: (bytes: number) => void;
}

export interface RangedDownload {
  readonly key: string;
  /** What the object should have; bytes behind it are not asked for. */
  readonly sizeBytes: number;
  /** Must not exist. */
  readonly path: string;
  readonly signal: AbortSignal;
}

/** Ranges of one file, and of all files, that are under way at once. In memory is a chunk of each, not the range. */
const RANGES_PER_FILE_MAX = 4;
const RANGES_MAX = 32;

const TRIES_MAX = 4;
const FIRST_PAUSE_MS = 50;

/**
 * Brings objects into local files, in ranges of which several are under way at once. Files take turns, range by range,
 * so a large one does not hold up a small one. A range that breaks off, hangs or is too short is asked for again by
 * itself.
 */
export class RangedDownloads {
  private readonly slots = new Slots(RANGES_MAX);

  constructor(
    private readonly store: Pick<ObjectStore, 'get'>,
    private readonly options: RangedDownloadsOptions,
  ) {}

  /**
   * Writes a new file (0444), or none. It is not synced.
   *
   * @throws DomainError `storage.object_missing`, `storage.unavailable`, `storage.full`; the signal's reason
   */
  async write(download: RangedDownload): Promise<void> {
    const handle = await withStorageErrors(() => openNewFile(download.path));
    try {
      await this.writeRanges(handle, download);
      await withStorageErrors(() => handle.chmod(FILE_MODE));
    } catch (error) {
      await rm(download.path, { force: true }).catch(() => undefined);
      throw error;
    } finally {
      await handle.close().catch(() => undefined);
    }
  }

  /** All have ended when it does: none may write to a file that is closed. */
  private async writeRanges(handle: FileHandle, { signal, sizeBytes, ...download }: RangedDownload): Promise<void> {
    const failed = new AbortController();
    const either = AbortSignal.any([signal, failed.signal]);
    const ranges = rangesOf(sizeBytes, this.options.rangeBytes ?? 8 * MiB);
    const writeSome = async (): Promise<void> => {
      try {
        for (const range of ranges) await this.writeRange(handle, range, { ...download, signal: either });
      } catch (error) {
        failed.abort(error);
      }
    };
    await Promise.all(Array.from({ length: RANGES_PER_FILE_MAX }, writeSome));
    signal.throwIfAborted();
    failed.signal.throwIfAborted();
  }

  private async writeRange(handle: FileHandle, range: ByteRange, source: RangeSource): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.slots.run(() => this.tryRange(handle, range, source));
      } catch (error) {
        source.signal.throwIfAborted();
        const passes = error instanceof DomainError && error.code === 'storage.unavailable';
        if (!passes || tries === TRIES_MAX) throw error;
      }
      await pauseAfter(tries, source.signal);
    }
  }

  private async tryRange(handle: FileHandle, range: ByteRange, { key, signal }: RangeSource): Promise<void> {
    signal.throwIfAborted();
    await withinTime({ limitMs: this.options.rangeMsMax, signal }, async (timed) => {
      let position = range.start;
      for await (const chunk of abortable(await this.store.get(key, { range, signal: timed }), timed)) {
        if (position + chunk.byteLength > range.end + 1) throw wrongLength();
        await withStorageErrors(() => writeAll(handle, chunk, position));
        position += chunk.byteLength;
        this.options.onBytes?.(chunk.byteLength);
      }
      if (position <= range.end) throw wrongLength();
    });
  }
}

interface RangeSource {
  readonly key: string;
  readonly signal: AbortSignal;
}

function* rangesOf(sizeBytes: number, rangeBytes: number): Generator<ByteRange> {
  for (let start = 0; start < sizeBytes; start += rangeBytes) {
    yield { start, end: Math.min(start + rangeBytes, sizeBytes) - 1 };
  }
}

/** Half of it random, so that many who were refused together do not come back together. */
async function pauseAfter(tries: number, signal: AbortSignal): Promise<void> {
  const pauseMs = FIRST_PAUSE_MS * 2 ** tries * (0.5 + Math.random() / 2);
  await sleep(pauseMs, undefined, { signal }).catch(() => signal.throwIfAborted());
}

function wrongLength(): DomainError {
  return new DomainError('storage.unavailable', 'The object store gave another number of bytes than were asked for.');
}
