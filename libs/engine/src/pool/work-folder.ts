import { randomBytes } from 'node:crypto';
import { constants as fsConstants } from 'node:fs';
import { chmod, chown, lstat, mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createOwnFolder } from './own-folder.js';
import { removeTree } from './remove-tree.js';

/** Others pass through, and can't look around. */
const PASSABLE = 0o711;

/**
 * The folder of one pool: `children/<name>/{inputs,scratch}` for its children and `outputs/` for finished files,
 * which no child can reach.
 */
export class WorkFolder {
  private constructor(
    readonly path: string,
    private readonly outputsDir: string,
    readonly childrenDir: string,
  ) {}

  /** Removes what dead services left in `workDir`, then makes a folder of our own. */
  static async create(workDir: string): Promise<WorkFolder> {
    const path = await createOwnFolder(workDir, PASSABLE);
    const outputsDir = join(path, 'outputs');
    const childrenDir = join(path, 'children');
    // Children pass through, but can't list who else is there. chmod, because the umask narrows what mkdir is asked for.
    await mkdir(childrenDir);
    for (const folder of [path, childrenDir]) await chmod(folder, PASSABLE);
    await mkdir(outputsDir, { mode: 0o700 });
    return new WorkFolder(path, outputsDir, childrenDir);
  }

  /**
   * Takes a file that a child wrote out of its reach.
   *
   * @returns undefined when there is no such file, or it is no plain file of its own
   */
  async takeOutput(childPath: string): Promise<{ path: string; sizeBytes: number } | undefined> {
    const path = join(this.outputsDir, `${randomBytes(12).toString('hex')}.parquet`);
    const found = await lstat(childPath).catch(() => undefined);
    if (!found?.isFile()) return undefined;
    await rename(childPath, path);
    // A child could put a link in the file's place between two calls: what counts is the file that is open.
    // It may have become a FIFO: without O_NONBLOCK opening that would wait for a writer.
    const handle = await open(path, fsConstants.O_RDONLY | fsConstants.O_NOFOLLOW | fsConstants.O_NONBLOCK);
    try {
      const opened = await handle.stat();
      const { size, nlink } = opened;
      if (nlink !== 1 || !opened.isFile()) {
        await rm(path, { force: true });
        return undefined;
      }
      if (process.getuid?.() === 0) await handle.chown(0, 0);
      await handle.chmod(0o444);
      return { path, sizeBytes: size };
    } finally {
      await handle.close();
    }
  }

  async remove(): Promise<void> {
    await removeTree(this.path);
  }
}

/** Gives a folder to a user, when there is one to give it to. */
export async function giveTo(path: string, user: { uid: number; gid: number } | undefined): Promise<void> {
  if (user) await chown(path, user.uid, user.gid);
}
