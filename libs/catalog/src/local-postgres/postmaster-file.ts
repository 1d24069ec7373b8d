import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const POLL_MS = 20;
const FAST_SHUTDOWN_MAX_MS = 30_000;
const IMMEDIATE_SHUTDOWN_MAX_MS = 10_000;

/** What a running Postgres writes into `postmaster.pid` of its data folder. */
export interface Postmaster {
  readonly pid: number;
  readonly ready: boolean;
}

/**
 * The server that runs on a data folder, or undefined; a file that a dead server left behind counts as none.
 *
 * @param dataFolder as the server was given it: absolute, without symbolic links
 */
export async function findPostmaster(dataFolder: string): Promise<Postmaster | undefined> {
  const lines = (await readFile(join(dataFolder, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');
  const pid = Number(lines[0]);
  // The 8th line is the state (LOCK_FILE_LINE_PM_STATUS in Postgres' pidfile.h).
  if (!Number.isInteger(pid) || pid <= 0 || !(await servesFolder(pid, dataFolder))) return undefined;
  return { pid, ready: lines[7]?.trim() === 'ready' };
}

/**
 * Stops the server of a data folder, if one runs: at first with open transactions rolled back and a clean shutdown,
 * and when that takes too long at once, which costs a recovery at the next start.
 */
export async function stopPostmaster(dataFolder: string): Promise<void> {
  const postmaster = await findPostmaster(dataFolder);
  if (!postmaster) return;
  const { pid } = postmaster;
  signal(pid, 'SIGINT');
  if (await isGone(pid, { dataFolder, timeoutMs: FAST_SHUTDOWN_MAX_MS })) return;
  signal(pid, 'SIGQUIT');
  if (await isGone(pid, { dataFolder, timeoutMs: IMMEDIATE_SHUTDOWN_MAX_MS })) return;
  throw new Error(`Postgres (process ${pid}) on ${dataFolder} does not stop`);
}

async function isGone(
  pid: number,
  { dataFolder, timeoutMs }: { readonly dataFolder: string; readonly timeoutMs: number },
): Promise<boolean> {
  for (const deadline = Date.now() + timeoutMs; Date.now() < deadline; await sleep(POLL_MS)) {
    if (!(await servesFolder(pid, dataFolder))) return true;
  }
  return false;
}

/**
 * Whether a process lives and is the server of this folder. Process ids are used again: after a restart of the machine
 * the number in the file may be anybody's, another Postgres included.
 */
async function servesFolder(pid: number, dataFolder: string): Promise<boolean> {
  if (!isAlive(pid)) return false;
  // Windows tells the arguments of a process to nobody without more ado.
  return process.platform === 'win32' || (await commandLineOf(pid)).includes(`-D ${dataFolder} `);
}

/** The arguments of a process with a space behind each; nothing for one that has ended, a zombie included. */
async function commandLineOf(pid: number): Promise<string> {
  if (process.platform === 'linux') {
    return (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' ');
  }
  const { stdout } = await run('ps', ['-ww', '-o', 'command=', '-p', String(pid)]).catch(() => ({ stdout: '' }));
  return `${stdout.trim()} `;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** A process that has just ended needs no signal. */
function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
