import { dirname } from 'node:path';
import { filesBelow, type FoundFile } from './files-below.js';
import { processesNaming } from './process-list.js';

/** A file that an engine process was given to read lies in `inputs/` of the folder of that process. */
const INPUT = /\/inputs\/[^/]+$/;
const OUTPUT = /\/scratch\/\w+\.parquet$/;

/**
 * Kills with SIGKILL, or sends another signal to, the engine processes that were given something to read and write what comes of it: not those that
 * wait for work, nor one that has not begun, whose work another would do.
 *
 * @param folder where engine processes have their folders
 * @param isWanted whether a process that has this file to read is meant; all are when left out
 * @param signal what they get
 * @returns how many there were
 */
export async function killWorkingEngines(
  folder: string,
  isWanted: (file: FoundFile) => boolean = () => true,
  signal: NodeJS.Signals = 'SIGKILL',
): Promise<number> {
  const files = await filesBelow(folder);
  const writing = foldersOf(files.filter(({ path }) => OUTPUT.test(path)));
  const reading = foldersOf(files.filter((file) => INPUT.test(file.path) && isWanted(file)));
  const folders = [...reading].filter((each) => writing.has(each));
  const found = await Promise.all(folders.map((each) => processesNaming(`${each}/`)));
  const pids = found.flat().map(({ pid }) => pid);
  for (const pid of pids) process.kill(pid, signal);
  return pids.length;
}

/** The folders of the processes that these files belong to. */
function foldersOf(files: readonly FoundFile[]): Set<string> {
  return new Set(files.map(({ path }) => dirname(dirname(path))));
}
