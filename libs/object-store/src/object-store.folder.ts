import { access, constants, link, lstat, mkdir, opendir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import type { Dir, Dirent } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { DomainError } from '@millrace/domain';
import type { ByteRange, ByteStream, ObjectStore, StoredObject, StoreOptions } from '@millrace/domain';
import { openFileBytes, withFileBytes, type FileBytes } from './file-bytes.js';
import { FILE_MODE, FOLDER_MODE, pruneFolders, syncFolders, writeNewFile } from './folder-files.js';
import { checkKey, checkPrefix, isObjectKey } from './object-keys.js';
import { checkRange } from './range.js';
import { storageError, systemCode, withStorageErrors } from './storage-error.js';

/** Behind the key of an object that is being written. No key ends like this. */
const PART_SUFFIX = '.part';

/** Says that a folder is a store. An unmounted disk leaves an empty folder, or none: there it is missing. */
const MARKER_NAME = '.millrace-store';
const MARKER_TEXT =
  'This folder is the object store of a Millrace. Without this file nothing in it is read, written or deleted.\n';

/** The file system can't link these two places; a copy does. */
const LINK_REFUSALS: ReadonlySet<string | undefined> = new Set(['EXDEV', 'EPERM', 'EMLINK', 'ENOTSUP', 'EOPNOTSUPP']);

/**
 * An object store in a local folder: the key is the path below the root. An object is written as `<key>.part` and
 * renamed when it is whole and on the disk. A key has one writer at a time: keys are random, and the register of blobs
 * names the writer of each.
 */
export class FolderObjectStore implements ObjectStore {
  readonly #root: string;

  /** @param root the folder; `open` makes it */
  constructor(root: string) {
    this.#root = resolve(root);
  }

  get root(): string {
    return this.#root;
  }

  /** The file that marks the folder as a store. */
  get markerPath(): string {
    return join(this.#root, MARKER_NAME);
  }

  /** Whether `open` would begin a new store: the folder is empty, or not there. */
  async isNew(): Promise<boolean> {
    return withStorageErrors(async () => {
      try {
        return (await readdir(this.#root)).length === 0;
      } catch (error) {
        if (systemCode(error) === 'ENOENT') return true;
        throw error;
      }
    });
  }

  /** Makes the root folder and marks it. To be called once before the first use. */
  async open(): Promise<this> {
    await withStorageErrors(async () => {
      await mkdir(this.#root, { recursive: true, mode: FOLDER_MODE });
      await markStore(this.markerPath);
      await syncFolders(this.#root, this.#root);
    });
    return this;
  }

  async put(key: string, body: ByteStream, options: StoreOptions = {}): Promise<StoredObject> {
    const path = this.#pathOf(key);
    const partPath = path + PART_SUFFIX;
    options.signal?.throwIfAborted();
    await this.#checkPresent();
    // What an earlier writer left behind when its process died.
    await withStorageErrors(() => rm(partPath, { force: true }));
    const sizeBytes = await writeNewFile(partPath, body, options.signal);
    await this.#publish(partPath, path);
    return { key, sizeBytes };
  }

  /** Copies the file: a link would leave whoever wrote it with a way to change the object. */
  async putFile(key: string, path: string, options: StoreOptions = {}): Promise<StoredObject> {
    checkKey(key);
    return withFileBytes(path, options, (bytes) => this.put(key, bytes, options));
  }

  /** A range is cut at the object's end; one that starts behind it has no bytes. */
  async get(key: string, options: StoreOptions & { readonly range?: ByteRange } = {}): Promise<ByteStream> {
    if (options.range) checkRange(options.range);
    return this.#open(key, options);
  }

  async find(key: string, options: StoreOptions = {}): Promise<StoredObject | undefined> {
    const path = this.#pathOf(key);
    options.signal?.throwIfAborted();
    const sizeBytes = await withStorageErrors(() => findSizeBytes(path));
    if (sizeBytes === undefined) await this.#checkPresent();
    options.signal?.throwIfAborted();
    return sizeBytes === undefined ? undefined : { key, sizeBytes };
  }

  async link(key: string, path: string, options: StoreOptions = {}): Promise<boolean> {
    options.signal?.throwIfAborted();
    try {
      await link(this.#pathOf(key), path);
      return true;
    } catch (error) {
      if (LINK_REFUSALS.has(systemCode(error))) return false;
      throw await this.#linkError(key, error);
    }
  }

  async delete(key: string, options: StoreOptions = {}): Promise<void> {
    const path = this.#pathOf(key);
    options.signal?.throwIfAborted();
    await withStorageErrors(async () => {
      await rm(path, { force: true });
      await rm(path + PART_SUFFIX, { force: true });
      // Nothing to delete may also mean that nothing is there now; the object would come back with the disk.
      await this.#checkPresent();
      // The register forgets the key after this call, so a loss of power must not bring the object back.
      await syncFolders(dirname(path), dirname(path));
      await pruneFolders(dirname(path), this.#root);
    });
  }

  async *list(prefix: string, options: StoreOptions = {}): AsyncGenerator<StoredObject> {
    checkPrefix(prefix);
    options.signal?.throwIfAborted();
    await this.#checkPresent();
    const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1);
    for await (const key of this.#keysIn(folder, options.signal)) {
      if (!key.startsWith(prefix)) continue;
      const sizeBytes = await withStorageErrors(() => this.#sizeOf(key));
      options.signal?.throwIfAborted();
      if (sizeBytes !== undefined) yield { key, sizeBytes };
    }
  }

  async ping(options: StoreOptions = {}): Promise<void> {
    options.signal?.throwIfAborted();
    await this.#checkPresent();
    try {
      await access(this.#root, constants.R_OK | constants.W_OK | constants.X_OK);
    } catch (error) {
      throw new DomainError('storage.unavailable', 'The folder of the object store can not be used.', { cause: error });
    }
  }

  #pathOf(key: string): string {
    return join(this.#root, checkKey(key));
  }

  /** @throws DomainError `storage.unavailable` when the folder is not the store: its disk may not be mounted */
  async #checkPresent(): Promise<void> {
    try {
      await access(this.markerPath);
    } catch (cause) {
      const detail = 'The folder of the object store is not there. Its disk may not be mounted.';
      throw new DomainError('storage.unavailable', detail, { cause });
    }
  }

  async #open(key: string, options: StoreOptions & { readonly range?: ByteRange }): Promise<FileBytes> {
    try {
      return await openFileBytes(this.#pathOf(key), options);
    } catch (error) {
      const isMissing = error instanceof DomainError && error.code === 'storage.object_missing';
      if (isMissing) await this.#checkPresent();
      throw error;
    }
  }

  async #publish(partPath: string, path: string): Promise<void> {
    try {
      await rename(partPath, path);
      await syncFolders(dirname(path), this.#root);
    } catch (error) {
      await rm(partPath, { force: true }).catch(() => undefined);
      if (systemCode(error) !== 'ENOENT') throw storageError(error);
      throw new DomainError('storage.unavailable', 'The file was deleted while it was being written.', {
        cause: error,
      });
    }
  }

  /** `ENOENT` of a link may mean the object or the folder of the target. */
  async #linkError(key: string, error: unknown): Promise<DomainError> {
    if (systemCode(error) !== 'ENOENT' || !(await this.find(key))) return storageError(error);
    return new DomainError('storage.unavailable', 'The folder for a local copy is not there.', { cause: error });
  }

  /** Every key below a folder (a key's beginning with its slash, or nothing), those being written included, once. */
  async *#keysIn(folder: string, signal: AbortSignal | undefined): AsyncGenerator<string> {
    for await (const entry of this.#entriesIn(folder)) {
      signal?.throwIfAborted();
      const name = folder + entry.name;
      if (entry.isDirectory()) yield* this.#keysIn(`${name}/`, signal);
      else if (!entry.isFile()) continue;
      else if (isObjectKey(name)) yield name;
      else if (await this.#isPartOnly(name)) yield name.slice(0, -PART_SUFFIX.length);
    }
  }

  async *#entriesIn(folder: string): AsyncGenerator<Dirent> {
    const entries = await withStorageErrors(() => openFolder(join(this.#root, folder)));
    if (!entries) await this.#checkPresent();
    try {
      if (entries) yield* entries;
    } catch (error) {
      throw storageError(error);
    }
  }

  /** A part beside a whole object (a second `put` of the key) is not reported twice. */
  async #isPartOnly(name: string): Promise<boolean> {
    if (!name.endsWith(PART_SUFFIX)) return false;
    const key = name.slice(0, -PART_SUFFIX.length);
    return isObjectKey(key) && (await withStorageErrors(() => findSizeBytes(this.#pathOf(key)))) === undefined;
  }

  /** Undefined when the object went in the meantime. */
  async #sizeOf(key: string): Promise<number | undefined> {
    const path = this.#pathOf(key);
    return (await findSizeBytes(path)) ?? (await findSizeBytes(path + PART_SUFFIX)) ?? findSizeBytes(path);
  }
}

async function markStore(path: string): Promise<void> {
  try {
    await writeFile(path, MARKER_TEXT, { flag: 'wx', mode: FILE_MODE, flush: true });
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
  }
}

async function findSizeBytes(path: string): Promise<number | undefined> {
  try {
    return (await lstat(path)).size;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function openFolder(path: string): Promise<Dir | undefined> {
  try {
    return await opendir(path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
