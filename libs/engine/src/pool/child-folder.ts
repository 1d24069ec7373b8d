import { createHash, randomBytes } from 'node:crypto';
import { constants as fsConstants } from 'node:fs';
import { chmod, chown, copyFile, link, mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { toStagingError } from './system-error.js';
import { removeTree } from './remove-tree.js';
import { giveTo } from './work-folder.js';

/** The user that a child runs as; undefined: the service's own. */
export interface ChildUser {
  readonly uid: number;
  readonly gid: number;
}

/**
 * The private folder of one child: `inputs/`, which it can't write, `scratch/`, which is its own, and `pipes/`, where it
 * can't put or replace anything.
 */
export class ChildFolder {
  readonly inputsDir: string;
  readonly scratchDir: string;
  readonly pipesDir: string;
  /** One after the other: what an idle child had may still be on its way out when its next task comes. */
  private lastTurn: Promise<unknown> = Promise.resolve();

  private constructor(private readonly path: string) {
    this.inputsDir = join(path, 'inputs');
    this.scratchDir = join(path, 'scratch');
    this.pipesDir = join(path, 'pipes');
  }

  static async create(childrenDir: string, user: ChildUser | undefined): Promise<ChildFolder> {
    const folder = new ChildFolder(join(childrenDir, randomBytes(8).toString('hex')));
    await mkdir(folder.path, { mode: 0o700 });
    // The files below are hard links that anybody may read: nobody but the child's group comes so far.
    if (user) {
      await chown(folder.path, -1, user.gid);
      await chmod(folder.path, 0o710);
    }
    await mkdir(folder.scratchDir, { mode: 0o700 });
    await giveTo(folder.scratchDir, user);
    await mkdir(folder.pipesDir);
    await chmod(folder.pipesDir, 0o711);
    await mkdir(folder.inputsDir);
    await chmod(folder.inputsDir, 0o555);
    return folder;
  }

  /**
   * Puts exactly these files into the inputs folder, which is closed (0555) again afterwards.
   *
   * @returns the path in the child's folder for each given path
   * @throws DomainError `storage.object_missing` when a file is not there; `storage.full`, `storage.unavailable`
   */
  async setInputs(files: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const turn = this.lastTurn.then(() => this.bringInputs(files));
    this.lastTurn = turn.catch(() => undefined);
    try {
      return await turn;
    } catch (error) {
      throw toStagingError(error);
    }
  }

  /** A name for an output that nobody can guess. */
  newOutputPath(): string {
    return join(this.scratchDir, `${randomBytes(12).toString('hex')}.parquet`);
  }

  async remove(): Promise<void> {
    await removeTree(this.path);
  }

  private async bringInputs(files: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const wanted = new Map<string, string>();
    for (const file of new Set(files)) wanted.set(file, join(this.inputsDir, await inputName(file)));
    const present = new Set((await readdir(this.inputsDir)).map((name) => join(this.inputsDir, name)));
    const kept = new Set(wanted.values());
    if (present.size === kept.size && [...kept].every((path) => present.has(path))) return wanted;
    await chmod(this.inputsDir, 0o755);
    try {
      for (const path of present) if (!kept.has(path)) await rm(path, { force: true });
      for (const [file, path] of wanted) if (!present.has(path)) await bringIn(file, path);
    } finally {
      await chmod(this.inputsDir, 0o555);
    }
    return wanted;
  }
}

/**
 * The same file gets the same name in each task, so that DuckDB's cache of Parquet footers, which goes by path and
 * time, stays warm; another file at the same path gets another.
 */
async function inputName(file: string): Promise<string> {
  const found = await stat(file);
  const identity = [file, found.dev, found.ino, found.size, found.mtimeMs].join('\0');
  return createHash('sha256').update(identity).digest('hex').slice(0, 32);
}

/**
 * A hard link shares its mode with the original, so only a file that is 0444 already may be linked; any other is copied.
 */
async function bringIn(file: string, path: string): Promise<void> {
  const { mode } = await stat(file);
  const linked =
    (mode & 0o777) === 0o444 &&
    (await link(file, path).then(
      () => true,
      () => false,
    ));
  if (linked) return;
  try {
    await copyFile(file, path, fsConstants.COPYFILE_FICLONE);
    await chmod(path, 0o444);
  } catch (error) {
    // What is there under this name is taken for the whole file by the next task.
    await rm(path, { force: true });
    throw error;
  }
}
