import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const LIST_MAX_MS = 10_000;
const LIST_BYTES_MAX = 16 * 1024 * 1024;

export interface ListedProcess {
  readonly pid: number;
  readonly parentPid: number;
  readonly command: string;
}

/**
 * The living processes that were given a path (or one below it) as an argument: Postgres and the engine processes of a
 * data folder. Those that have ended and only wait to be asked about it do not count.
 */
export async function processesNaming(path: string): Promise<ListedProcess[]> {
  const { stdout } = await run('ps', ['-A', '-ww', '-o', 'pid=,ppid=,stat=,args='], {
    timeout: LIST_MAX_MS,
    maxBuffer: LIST_BYTES_MAX,
  });
  return stdout
    .split('\n')
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [])
    .filter(([, , , state = '', command = '']) => !state.startsWith('Z') && command.includes(path))
    .map(([, pid, parentPid, , command = '']) => ({ pid: Number(pid), parentPid: Number(parentPid), command }));
}
