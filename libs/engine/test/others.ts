import { stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';

/**
 * Whether other users than the tests' own can read the program of engine processes. Below a folder that is closed to
 * others children stay who starts them, and say so.
 */
export async function canOthersRun(): Promise<boolean> {
  const program = createRequire(import.meta.url).resolve('@millrace/engine/child');
  for (let folder = dirname(program); ; folder = dirname(folder)) {
    if (((await stat(folder)).mode & 0o001) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}
