import { join } from 'node:path';
import { FileLock } from '@millrace/object-store';

/** Makes sure that one process at a time works on a data folder. The lock ends with its owner, whatever ended that. */
export class FolderLock {
  private constructor(private readonly lock: FileLock) {}

  /** @throws Error when another process works on the folder */
  static async take(folder: string): Promise<FolderLock> {
    const lock = await FileLock.tryTake(join(folder, 'lock'));
    if (lock) return new FolderLock(lock);
    throw new Error(`Another Millrace already runs on ${folder}. Stop it, or choose another folder with DATA_DIR.`);
  }

  release(): void {
    this.lock.release();
  }
}
