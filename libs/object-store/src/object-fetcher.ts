import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DomainError, type ObjectStore } from '@millrace/domain';
import { FOLDER_MODE } from './folder-files.js';
import { hashFile } from './hash-file.js';
import { RangedDownloads } from './ranged-downloads.js';
import { storageError, withStorageErrors } from './storage-error.js';
import { withinTime } from './within-time.js';

export interface ObjectFetcherOptions {
  /** How long the store may take for one answer: a link, or a range of a few megabytes. */
  readonly answerMsMax: number;
  /** Bytes of a range; see `RangedDownloadsOptions`. */
  readonly rangeBytes?: number;
  readonly onBytes: (bytes: number) => void;
}

/** What the catalog says of an object. */
export interface KnownObject {
  readonly storageKey: string;
  /** SHA-256 in hexadecimal. */
  readonly contentHash: string;
  readonly sizeBytes: number;
}

export interface FetchTarget {
  /** Where a copy will be; nothing is there. */
  readonly path: string;
  readonly signal: AbortSignal;
  /** Called before the bytes of a copy are written. */
  readonly onCopy: () => void;
  /** Makes room on a disk that is full. False: there is none to make. */
  readonly makeRoom: () => Promise<boolean>;
}

export interface LocalFile {
  readonly path: string;
  /** The file is the object itself: it takes no room, and its bytes were not read. */
  readonly isLink: boolean;
}

/** Copies of one object that may turn out to have other bytes than the catalog says. */
const COPIES_MAX = 2;

/** Brings objects into local files, and vouches for the bytes of those that are copies. */
export class ObjectFetcher {
  private readonly downloads: RangedDownloads;

  constructor(
    private readonly store: ObjectStore,
    private readonly options: ObjectFetcherOptions,
  ) {
    const { answerMsMax: rangeMsMax, rangeBytes, onBytes } = options;
    this.downloads = new RangedDownloads(store, { rangeMsMax, onBytes, ...(rangeBytes && { rangeBytes }) });
  }

  /**
   * The object as a local file (0444): a link where the store can give one, else a copy, which appears under its name
   * when its hash is right.
   *
   * @throws DomainError `storage.object_missing`, `storage.object_corrupt`, `storage.unavailable`, `storage.full`; the
   *   signal's reason
   */
  async fetch(object: KnownObject, target: FetchTarget): Promise<LocalFile> {
    await withStorageErrors(() => mkdir(dirname(target.path), { recursive: true, mode: FOLDER_MODE }));
    const linkPath = `${target.path}.link`;
    if (await this.tryLink(object, linkPath, target.signal)) return { path: linkPath, isLink: true };
    target.onCopy();
    for (let copies = 1; copies <= COPIES_MAX; copies += 1) {
      if (await this.tryCopy(object, target)) return { path: target.path, isLink: false };
    }
    throw corrupt(object, `has another SHA-256 than ${object.contentHash}`);
  }

  private async tryLink(object: KnownObject, path: string, signal: AbortSignal): Promise<boolean> {
    const { store } = this;
    if (!store.link) return false;
    const limit = { limitMs: this.options.answerMsMax, signal };
    const isLinked = await withinTime(limit, async (timed) => store.link?.(object.storageKey, path, { signal: timed }));
    if (isLinked !== true) return false;
    const { size } = await withStorageErrors(() => stat(path));
    if (size === object.sizeBytes) return true;
    await rm(path, { force: true });
    throw corrupt(object, `has ${size} bytes instead of ${object.sizeBytes}`);
  }

  /** False: the bytes that came are not those that should have. */
  private async tryCopy(object: KnownObject, target: FetchTarget): Promise<boolean> {
    const partPath = `${target.path}.part`;
    await this.download(object, partPath, target);
    try {
      const isRight = (await hashFile(partPath, target.signal)).contentHash === object.contentHash;
      if (isRight) await rename(partPath, target.path);
      else await rm(partPath, { force: true });
      return isRight;
    } catch (error) {
      await rm(partPath, { force: true }).catch(() => undefined);
      target.signal.throwIfAborted();
      throw storageError(error);
    }
  }

  private async download(object: KnownObject, path: string, { signal, makeRoom }: FetchTarget): Promise<void> {
    const { storageKey: key, sizeBytes } = object;
    const write = (): Promise<void> => this.downloads.write({ key, sizeBytes, path, signal });
    try {
      await write().catch(async (error: unknown) => {
        if (!isOf(error, 'storage.full') || !(await makeRoom())) throw error;
        await write();
      });
    } catch (error) {
      if (isOf(error, 'storage.unavailable')) await this.checkSize(object, signal);
      throw isOf(error, 'storage.full') ? diskFull(error) : error;
    }
  }

  /** An object that has lost bytes gives too few each time, as a store that breaks off does. */
  private async checkSize(object: KnownObject, signal: AbortSignal): Promise<void> {
    const limit = { limitMs: this.options.answerMsMax, signal };
    const find = withinTime(limit, (timed) => this.store.find(object.storageKey, { signal: timed }));
    const found = await find.catch(() => undefined);
    signal.throwIfAborted();
    if (!found || found.sizeBytes === object.sizeBytes) return;
    throw corrupt(object, `has ${found.sizeBytes} bytes instead of ${object.sizeBytes}`);
  }
}

function isOf(error: unknown, code: 'storage.full' | 'storage.unavailable'): boolean {
  return error instanceof DomainError && error.code === code;
}

function diskFull(cause: unknown): DomainError {
  return new DomainError(
    'storage.full',
    'The disk for local copies of files is full. Free some space, then try again.',
    {
      cause,
    },
  );
}

function corrupt({ storageKey }: KnownObject, what: string): DomainError {
  return new DomainError('storage.object_corrupt', 'A file in the object store is not what was written there.', {
    cause: new Error(`${storageKey} ${what}`),
  });
}
