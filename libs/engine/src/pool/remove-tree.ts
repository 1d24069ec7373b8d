import { chmod, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

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
