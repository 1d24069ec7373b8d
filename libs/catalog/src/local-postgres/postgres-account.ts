import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const USER_NAME = 'postgres';
const OTHERS_MAY_ENTER = 0o001;

/** The user that Postgres runs as. */
export interface PostgresAccount {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Postgres refuses to run as root. As root this gives the user `postgres`, made when it is missing; as anyone else
 * undefined: then Postgres runs as that user.
 */
export async function findPostgresAccount(): Promise<PostgresAccount | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  return (await lookUp()) ?? (await create());
}

async function lookUp(): Promise<PostgresAccount | undefined> {
  try {
    const [uid, gid] = await Promise.all(['-u', '-g'].map((flag) => run('id', [flag, USER_NAME])));
    return { uid: Number(uid?.stdout), gid: Number(gid?.stdout) };
  } catch {
    return undefined;
  }
}

async function create(): Promise<PostgresAccount> {
  try {
    await run('useradd', ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', USER_NAME]);
  } catch (cause) {
    throw new Error(
      `Postgres does not run as root, and the user "${USER_NAME}" could not be made. Start Millrace as an ordinary user, ` +
        'or set DATABASE_URL to a Postgres of yours.',
      { cause },
    );
  }
  const account = await lookUp();
  if (!account) throw new Error(`The user "${USER_NAME}" was made but is not there`);
  return account;
}

/**
 * The command that runs a program as an account. Folders such as `/root` are closed to it although the program and its
 * data lie below: then it keeps, of all of root's powers, the one to pass through closed folders.
 */
export async function commandAs(
  account: PostgresAccount | undefined,
  command: { readonly program: string; readonly args: readonly string[]; readonly folders: readonly string[] },
): Promise<{ program: string; args: string[]; uid?: number; gid?: number }> {
  const { program, args } = command;
  if (!account) return { program, args: [...args] };
  const reachable = await Promise.all([program, ...command.folders].map(isReachable));
  if (reachable.every(Boolean)) return { program, args: [...args], ...account };
  const power = '+dac_read_search';
  const setpriv = [`--reuid=${account.uid}`, `--regid=${account.gid}`, '--clear-groups'];
  return {
    program: 'setpriv',
    args: [...setpriv, `--inh-caps=${power}`, `--ambient-caps=${power}`, '--', program, ...args],
  };
}

/** Whether anyone may pass through all the folders above a path. */
export async function isReachable(path: string): Promise<boolean> {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    if (((await stat(folder)).mode & OTHERS_MAY_ENTER) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}
