import { readdir, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';

export interface FoundFile {
  /** Below the folder, with slashes. */
  readonly name: string;
  readonly path: string;
  readonly sizeBytes: number;
}

/** Every file below a folder, half-written ones included; none when the folder is not there. */
export async function filesBelow(folder: string): Promise<FoundFile[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const files: FoundFile[] = [];
  for (const entry of entries.filter((each) => !each.isDirectory())) {
    const path = join(entry.parentPath, entry.name);
    const found = await stat(path).catch(() => undefined);
    // One that goes while we look was there no more.
    if (found) files.push({ name: relative(folder, path), path, sizeBytes: found.size });
  }
  return files;
}
