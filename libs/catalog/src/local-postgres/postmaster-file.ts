import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 20;
const FAST_SHUTDOWN_MAX_MS = 30_000;
const IMMEDIATE_SHUTDOWN_MAX_MS = 10_000;

/** What a running Postgres writes into `postmaster.pid` of its data folder. */
export interface Postmaster {
  readonly pid: number;
  readonly ready: boolean;
}

/** The server that runs on a data folder, or undefined; a file that a dead server left behind counts as none. */
export async function findPostmaster(dataFolder: string): Promise<Postmaster | undefined> {
  const lines = (await readFile(join(dataFolder, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');
  const pid = Number(lines[0]);
  // The 8th line is the state (LOCK_FILE_LINE_PM_STATUS in Postgres' pidfile.h).
  if (!Number.isInteger(pid) || pid <= 0 || !(await isPostgres(pid))) return undefined;
  return { pid, ready: lines[7]?.trim() === 'ready' };
}

/**
 * Stops the server of a data folder, if one runs: at first with open transactions rolled back and a clean shutdown,
 * and when that takes too long at once, which costs a recovery at the next start.
 */
export async function stopPostmaster(dataFolder: string): Promise<void> {
  const postmaster = await findPostmaster(dataFolder);
  if (!postmaster) return;
  process.kill(postmaster.pid, 'SIGINT');
  if (await isGone(postmaster.pid, FAST_SHUTDOWN_MAX_MS)) return;
  process.kill(postmaster.pid, 'SIGQUIT');
  if (await isGone(postmaster.pid, IMMEDIATE_SHUTDOWN_MAX_MS)) return;
  throw new Error(`Postgres (process ${postmaster.pid}) on ${dataFolder} does not stop`);
}

async function isGone(pid: number, timeoutMs: number): Promise<boolean> {
  for (const deadline = Date.now() + timeoutMs; Date.now() < deadline; await sleep(POLL_MS)) {
    if (!(await isPostgres(pid))) return true;
  }
  return false;
}

/** Whether a process lives and, where the system tells, is a Postgres: process ids are used again. */
async function isPostgres(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  if (process.platform !== 'linux') return true;
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // A zombie has ended; its parent has just not asked yet.
  return stat.includes('(postgres)') && !/\) Z /.test(stat);
}
