import { randomBytes } from 'node:crypto';
import { constants as fsConstants } from 'node:fs';
import { chmod, chown, lstat, mkdir, open, readFile, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** `<pid>-<start of the process>-<random>`: a pid may come back, its start time does not. */
const OWNER_PATTERN = /^(\d+)-(\d+)-[0-9a-f]+$/;

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
    await mkdir(workDir, { recursive: true, mode: 0o711 });
    await removeLeftovers(workDir);
    const path = join(workDir, `${process.pid}-${await processStart(process.pid)}-${randomBytes(4).toString('hex')}`);
    const outputsDir = join(path, 'outputs');
    const childrenDir = join(path, 'children');
    // Children pass through, but can't list who else is there. chmod, because the umask narrows what mkdir is asked for.
    for (const folder of [path, childrenDir]) {
      await mkdir(folder);
      await chmod(folder, 0o711);
    }
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
    const handle = await open(path, fsConstants.O_RDONLY | fsConstants.O_NOFOLLOW);
    try {
      const { size, nlink } = await handle.stat();
      if (nlink !== 1) {
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

/** Removes a folder and all in it, also folders without write permission. Never throws: leftovers go at the next start. */
export async function removeTree(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true, maxRetries: 3 }).catch(async () => {
    // Without being root, a 0555 folder keeps its files until it may be written again.
    await unlockFolders(path).catch(() => undefined);
    await rm(path, { recursive: true, force: true }).catch(() => undefined);
  });
}

async function unlockFolders(path: string): Promise<void> {
  await chmod(path, 0o700);
  for (const entry of await readdir(path, { withFileTypes: true })) {
    if (entry.isDirectory()) await unlockFolders(join(path, entry.name));
  }
}

async function removeLeftovers(workDir: string): Promise<void> {
  for (const name of await readdir(workDir)) {
    const owner = OWNER_PATTERN.exec(name);
    if (owner && (await processStart(Number(owner[1]))) !== owner[2]) await removeTree(join(workDir, name));
  }
}

/** When a process started, in clock ticks since boot; `0` where the system doesn't tell; `gone` without such a process. */
async function processStart(pid: number): Promise<string> {
  if (!(await stat('/proc/self').catch(() => undefined))) return isAlive(pid) ? '0' : 'gone';
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // The name in parentheses may hold anything; field 22 is the 20th behind it.
  return text?.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? 'gone';
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Gives a folder to a user, when there is one to give it to. */
export async function giveTo(path: string, user: { uid: number; gid: number } | undefined): Promise<void> {
  if (user) await chown(path, user.uid, user.gid);
}
