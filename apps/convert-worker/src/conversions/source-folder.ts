import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** `<pid>-<life>-<random>`: the life tells a process from an earlier one with the same pid, as pid 1 of a container. */
const OWNER_PATTERN = /^(\d+)-([0-9a-f]{16})-[0-9a-f]{8}$/;
const LIFE = randomBytes(8).toString('hex');

/**
 * Local copies of what is being converted, in a folder that only this process may enter: the engine gets links to them.
 * The folder goes when the worker closes; what a killed worker left behind goes when the next one starts.
 */
export class SourceFolder {
  private constructor(private readonly path: string) {}

  /** @param root the folder of all workers of this machine */
  static async create(root: string): Promise<SourceFolder> {
    await mkdir(root, { recursive: true, mode: 0o700 });
    for (const name of await readdir(root)) {
      if (isLeftover(name)) await rm(join(root, name), { recursive: true, force: true });
    }
    const path = join(root, `${process.pid}-${LIFE}-${randomBytes(4).toString('hex')}`);
    await mkdir(path, { mode: 0o700 });
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

function isLeftover(name: string): boolean {
  const [, pid, life] = OWNER_PATTERN.exec(name) ?? [];
  if (pid === undefined) return false;
  return Number(pid) === process.pid ? life !== LIFE : !isAlive(Number(pid));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
