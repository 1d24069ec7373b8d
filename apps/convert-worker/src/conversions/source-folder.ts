import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createOwnFolder } from '@millrace/engine';

/**
 * Local copies of what is being converted, in a folder that only this process may enter: the engine gets links to them.
 * The folder goes when the worker closes; what a killed worker left behind goes when the next one starts.
 */
export class SourceFolder {
  private constructor(private readonly path: string) {}

  /** @param root the folder of all workers of this machine */
  static async create(root: string): Promise<SourceFolder> {
    const path = await createOwnFolder(root, 0o700);
    return new SourceFolder(path);
  }

  /** Gives a path that does not exist yet to some work and removes afterwards what is there. */
  async withFile<T>(work: (path: string) => Promise<T>): Promise<T> {
    const path = join(this.path, randomBytes(16).toString('hex'));
    try {
      return await work(path);
    } finally {
      await rm(path, { force: true });
    }
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}
