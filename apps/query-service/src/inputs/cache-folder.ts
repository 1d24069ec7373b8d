import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** `<pid>-<start of the process>-<random>`: a pid may come back, its start does not. */
const OWNER = /^(\d+)-(\d+)-[0-9a-f]+$/;

/**
 * A folder of this service's own below one that several may share. What services that are gone have left there is
 * removed first. No engine process can look into it: it gets links to single files.
 */
export async function createCacheFolder(parent: string): Promise<string> {
  await mkdir(parent, { recursive: true, mode: 0o700 });
  for (const name of await readdir(parent)) {
    const [, pid, start] = OWNER.exec(name) ?? [];
    if (pid && (await startOf(Number(pid))) !== start) await rm(join(parent, name), { recursive: true, force: true });
  }
  const name = `${process.pid}-${(await startOf(process.pid)) ?? 0}-${randomBytes(4).toString('hex')}`;
  const folder = join(parent, name);
  await mkdir(folder, { mode: 0o700 });
  return folder;
}

/** When a process started, in clock ticks since the system did; `0` where it does not tell; undefined without one. */
async function startOf(pid: number): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // The name in parentheses may hold anything; field 22 is the 20th behind it.
  if (text !== undefined) return text.slice(text.lastIndexOf(')') + 2).split(' ')[19];
  return isAlive(pid) ? '0' : undefined;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
