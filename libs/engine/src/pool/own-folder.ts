import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { removeTree } from './remove-tree.js';

/** `<pid>-<start of the process>-<random>`: a pid may come back, its start time does not. */
const OWNER_PATTERN = /^(\d+)-(\w+)-[0-9a-f]+$/;

/**
 * A folder of this process's own below one that several processes of a machine may share. What those that are gone
 * left there is removed first.
 *
 * @param mode of the parent, when it is made, and of the folder; the umask narrows it
 */
export async function createOwnFolder(parent: string, mode: number): Promise<string> {
  await mkdir(parent, { recursive: true, mode });
  for (const name of await readdir(parent)) {
    const [, pid, start] = OWNER_PATTERN.exec(name) ?? [];
    if (pid !== undefined && (await processStart(Number(pid))) !== start) await removeTree(join(parent, name));
  }
  const name = `${process.pid}-${await processStart(process.pid)}-${randomBytes(4).toString('hex')}`;
  const folder = join(parent, name);
  await mkdir(folder, { mode });
  return folder;
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
