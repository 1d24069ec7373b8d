import { mkdir, rm, symlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { TableInput } from '../tasks/table-input.js';

/** Enough of a staged file's name, which is a hash, to tell apart the files of nearly every table. */
const HASH_LENGTH = 8;

/**
 * Runs work with the inputs under names that anybody may see: `datasets.sales/1f0c9a2b.parquet`, relative to the scratch
 * folder, in which this process runs. The plan of a statement that ran names the files that were read, and breaks their
 * paths to fit its boxes: no path could be found in it again and taken out. The links lead to inputs, so DuckDB follows
 * them; they are gone afterwards.
 */
export async function withNamedInputs<T>(
  scratchDir: string,
  inputs: readonly TableInput[],
  work: (named: readonly TableInput[]) => Promise<T>,
): Promise<T> {
  const folders: string[] = [];
  try {
    const named: TableInput[] = [];
    for (const input of inputs) {
      const folder = `${input.schema}.${input.table}`;
      folders.push(folder);
      await mkdir(join(scratchDir, folder), { recursive: true });
      named.push({ ...input, files: await linkFiles(input.files, { scratchDir, folder }) });
    }
    return await work(named);
  } finally {
    for (const folder of folders) await rm(join(scratchDir, folder), { recursive: true, force: true });
  }
}

async function linkFiles(
  files: readonly string[],
  { scratchDir, folder }: { scratchDir: string; folder: string },
): Promise<string[]> {
  const links = new Set<string>();
  for (const file of files) {
    const link = join(folder, basename(file).slice(0, HASH_LENGTH));
    // How many there are already tells apart those whose hashes begin alike.
    const name = links.has(`${link}.parquet`) ? `${link}_${links.size}` : link;
    await symlink(file, join(scratchDir, `${name}.parquet`));
    links.add(`${name}.parquet`);
  }
  return [...links];
}
