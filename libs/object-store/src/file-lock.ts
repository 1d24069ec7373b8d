import { open } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { systemCode } from './storage-error.js';

/** SQLite's code for a file that another connection has locked. */
const SQLITE_BUSY = 5;

/**
 * A lock of the operating system on a file: it ends with its owner, whatever ended that, and holds between containers
 * that share a disk. Node itself has no call for it; its SQLite does, and takes care of the differences between systems.
 * Nothing is ever written into the file.
 */
export class FileLock {
  private constructor(private readonly file: DatabaseSync) {}

  /** Makes the file when it is missing. Undefined when somebody else, in this process or another, has the lock. */
  static async tryTake(path: string): Promise<FileLock | undefined> {
    await makeFile(path);
    const file = new DatabaseSync(path, { timeout: 0 });
    try {
      file.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
      return new FileLock(file);
    } catch (error) {
      file.close();
      if (isBusy(error)) return undefined;
      throw error;
    }
  }

  release(): void {
    if (this.file.isOpen) this.file.close();
  }
}

/**
 * Only the owner may open it: whoever can read it could lock it, too. A file that is there is not opened: to close it
 * would end a lock that this process has on it.
 */
async function makeFile(path: string): Promise<void> {
  try {
    await (await open(path, 'ax', 0o600)).close();
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
  }
}

/** Not `instanceof Error`: it may come from another realm than this module (test runners). */
function isBusy(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'errcode' in error && error.errcode === SQLITE_BUSY;
}
