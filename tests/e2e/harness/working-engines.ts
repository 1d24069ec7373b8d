import { dirname } from 'node:path';
import { filesBelow, type FoundFile } from './files-below.js';
import { processesNaming } from './process-list.js';

/** A file that an engine process was given to read lies in `inputs/` of the folder of that process. */
const INPUT = /\/inputs\/[^/]+$/;

/**
 * Kills with SIGKILL the engine processes that were given something to read: not those that wait for work.
 *
 * @param folder where engine processes have their folders
 * @param isWanted whether a process that has this file to read is meant; all are when left out
 * @returns how many there were
 */
export async function killWorkingEngines(
  folder: string,
  isWanted: (file: FoundFile) => boolean = () => true,
): Promise<number> {
  const inputs = (await filesBelow(folder)).filter((file) => INPUT.test(file.path) && isWanted(file));
  const folders = new Set(inputs.map(({ path }) => dirname(dirname(path))));
  const found = await Promise.all([...folders].map((each) => processesNaming(`${each}/`)));
  const pids = found.flat().map(({ pid }) => pid);
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  return pids.length;
}
