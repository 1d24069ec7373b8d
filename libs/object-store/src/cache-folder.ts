import { randomBytes } from 'node:crypto';
import { lstat, mkdir, readdir, rm, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isId, type TenantId } from '@millrace/domain';
import { FileLock } from './file-lock.js';
import { FOLDER_MODE } from './folder-files.js';
import { systemCode } from './storage-error.js';

/** Processes of one machine that may share the folder above. */
const PLACES_MAX = 1_000;
const LOCK_NAME = /^(\d+)\.lock$/;

/** A whole copy: the SHA-256 of its bytes, and what keeps it apart from an earlier one of the same bytes. */
const COPY_NAME = /^([0-9a-f]{64})-[0-9a-f]{16}$/;

/** A copy that an earlier process left. Nothing is known of its bytes. */
export interface LeftCopy {
  readonly tenantId: TenantId;
  readonly contentHash: string;
  readonly path: string;
  readonly sizeBytes: number;
  /** When it was written, in milliseconds since 1970. */
  readonly writtenAtMs: number;
}

/**
 * The folder of one process's copies, `<root>/<place>/<tenant>/<hash>-<random>`. Each place has a lock that ends with its
 * process, so a process that starts takes over what one that has ended left. A file that is half a copy, or no copy but
 * a link, has another name, and goes at the next start.
 */
export class CacheFolder {
  private constructor(
    readonly path: string,
    private readonly lock: FileLock,
  ) {}

  /** Takes the first place that is free, and empties the other free ones: more processes ran here before. */
  static async open(root: string): Promise<CacheFolder> {
    await mkdir(root, { recursive: true, mode: FOLDER_MODE });
    for (let place = 0; place < PLACES_MAX; place += 1) {
      const lock = await FileLock.tryTake(join(root, `${place}.lock`));
      if (!lock) continue;
      await emptyOtherPlaces(root, place);
      return new CacheFolder(join(root, String(place)), lock);
    }
    throw new Error(`More than ${PLACES_MAX} processes use ${root}.`);
  }

  /** A path that nothing has, or had. */
  newPath(tenantId: TenantId, contentHash: string): string {
    return join(this.path, tenantId, `${contentHash}-${randomBytes(8).toString('hex')}`);
  }

  /** Copies that are there, the oldest first. Everything else is removed. */
  async takeOver(): Promise<LeftCopy[]> {
    const copies: LeftCopy[] = [];
    for (const tenantId of await namesIn(this.path)) {
      const folder = join(this.path, tenantId);
      if (isId('tenant', tenantId)) copies.push(...(await this.takeOverTenant(tenantId, folder)));
      else await rm(folder, { recursive: true, force: true });
    }
    return copies.sort((a, b) => a.writtenAtMs - b.writtenAtMs);
  }

  /** Leaves the copies to the next process. */
  close(): void {
    this.lock.release();
  }

  private async takeOverTenant(tenantId: TenantId, folder: string): Promise<LeftCopy[]> {
    const copies: LeftCopy[] = [];
    for (const name of await namesIn(folder)) {
      const path = join(folder, name);
      const contentHash = COPY_NAME.exec(name)?.[1];
      const found = await lstat(path);
      if (contentHash === undefined || !found.isFile()) await rm(path, { recursive: true, force: true });
      else copies.push({ tenantId, contentHash, path, sizeBytes: found.size, writtenAtMs: found.mtimeMs });
    }
    if (copies.length === 0) await rmdir(folder).catch(() => undefined);
    return copies;
  }
}

/**
 * What `stat` tells of a file that was changed, replaced or cut off since; undefined without a file. Not its ctime: each
 * link to it for an engine process changes that.
 */
export async function fileIdentity(path: string): Promise<string | undefined> {
  try {
    const { dev, ino, size, mtimeNs } = await stat(path, { bigint: true });
    return [dev, ino, size, mtimeNs].join(' ');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function emptyOtherPlaces(root: string, own: number): Promise<void> {
  for (const name of await readdir(root)) {
    const place = LOCK_NAME.exec(name)?.[1];
    if (place === undefined || Number(place) === own) continue;
    // The lock's file stays: whoever opened it a moment ago must not hold one that nobody else can see.
    const lock = await FileLock.tryTake(join(root, name));
    if (lock) await rm(join(root, place), { recursive: true, force: true });
    lock?.release();
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}
