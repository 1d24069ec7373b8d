import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** SQLite's code for a file that another connection has locked. */
const SQLITE_BUSY = 5;

/**
 * Makes sure that one process at a time works on a data folder. The lock is one of the operating system on a file in
 * that folder: it ends with its owner, whatever ended that. Node itself has no call for it; its SQLite does, and takes
 * care of the differences between systems. Nothing is ever written into the file.
 */
export class FolderLock {
  private constructor(private readonly file: DatabaseSync) {}

  /** @throws Error when another process works on the folder */
  static async take(folder: string): Promise<FolderLock> {
    const path = join(folder, 'lock');
    // Only the owner may open it: whoever can read it could lock it, too.
    await (await open(path, 'a', 0o600)).close();
    const file = new DatabaseSync(path, { timeout: 0 });
    try {
      file.exec('PRAGMA journal_mode = OFF; BEGIN EXCLUSIVE');
      return new FolderLock(file);
    } catch (error) {
      file.close();
      throw isBusy(error) ? inUse(folder) : error;
    }
  }

  release(): void {
    this.file.close();
  }
}

function inUse(folder: string): Error {
  return new Error(`Another Millrace already runs on ${folder}. Stop it, or choose another folder with DATA_DIR.`);
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY;
}
