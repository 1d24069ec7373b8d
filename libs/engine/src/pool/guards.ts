import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import type { ChildUser } from './child-folder.js';

/** The programs of util-linux that stand between a child and the rest of the machine; each that can be used, by its path. */
export interface Guards {
  /** Sets the limits of a child. */
  readonly prlimit?: string | undefined;
  /** Makes it its own user without any privilege, now and later, and ends it with its parent. */
  readonly setpriv?: string | undefined;
  /** Gives it a network and shared memory of its own, with nothing in them. */
  readonly unshare?: string | undefined;
}

/** Without them a child starts as it can; for what has not met anything of a caller, and on other systems. */
export const NO_GUARDS: Guards = {};

const TRIAL_TIMEOUT_MS = 5_000;

/**
 * Finds out what can be used here by using it: a container may have the programs and not the rights.
 *
 * @param folders where programs are looked for
 * @param user whom the children are to be; undefined: the service's own
 */
export async function findGuards(folders: readonly string[], user: ChildUser | undefined): Promise<Guards> {
  const [prlimit, setpriv, unshare, nothing] = await Promise.all(
    ['prlimit', 'setpriv', 'unshare', 'true'].map((name) => findProgram(name, folders)),
  );
  if (nothing === undefined) return NO_GUARDS;
  const works = (guards: Guards): Promise<boolean> => canRun(guardedCommand([nothing], guards, { user }));
  const dropping = setpriv !== undefined && (await works({ setpriv }));
  const privileges = { setpriv: dropping ? setpriv : undefined };
  // Only root may leave its network without a user namespace, and only `setpriv` can make it somebody else afterwards.
  const canLeave = unshare !== undefined && (dropping || user === undefined);
  return {
    ...privileges,
    prlimit: prlimit !== undefined && (await canRun([prlimit, '--version'])) ? prlimit : undefined,
    unshare: canLeave && (await works({ ...privileges, unshare })) ? unshare : undefined,
  };
}

/** The limits that the operating system puts on a child. */
export interface ChildRlimits {
  /** RLIMIT_DATA. */
  readonly dataBytes: number;
  /** RLIMIT_FSIZE. */
  readonly fileBytes: number;
  /** RLIMIT_NOFILE. */
  readonly openFiles: number;
  /** RLIMIT_NPROC, which counts the threads of all processes of a user; undefined for a user that is not the child's alone. */
  readonly threads: number | undefined;
}

export interface GuardedAs {
  readonly user: ChildUser | undefined;
  /** Undefined: the figures are still to be measured. */
  readonly rlimits?: ChildRlimits | undefined;
}

/**
 * A command behind the guards, each of which becomes the next in the same process. The last is `setpriv`: what stands
 * before it may need the rights that it takes.
 */
export function guardedCommand(command: readonly string[], guards: Guards, { user, rlimits }: GuardedAs): string[] {
  const { prlimit, setpriv, unshare } = guards;
  return [
    ...(prlimit && rlimits ? [prlimit, ...limitArguments(rlimits), '--'] : []),
    ...(unshare ? [unshare, '--net', '--ipc', ...namespaceArguments(), '--'] : []),
    ...(setpriv ? [setpriv, ...privilegeArguments(user), '--'] : []),
    ...command,
  ];
}

function limitArguments({ dataBytes, fileBytes, openFiles, threads }: ChildRlimits): string[] {
  const limits = [`--data=${dataBytes}`, `--fsize=${fileBytes}`, `--nofile=${openFiles}`, '--core=0'];
  return threads === undefined ? limits : [...limits, `--nproc=${threads}`];
}

/** Somebody ordinary may leave the network only in a user namespace; there they stay who they are. */
function namespaceArguments(): string[] {
  return process.getuid?.() === 0 ? [] : ['--user', '--map-current-user'];
}

/** Also a child that stays root has no rights beyond those of an owner of files. */
function privilegeArguments(user: ChildUser | undefined): string[] {
  const change = user ? [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups'] : [];
  const drop = process.getuid?.() === 0 ? ['--bounding-set=-all', '--inh-caps=-all'] : [];
  return [...change, ...drop, '--no-new-privs', '--pdeathsig=KILL'];
}

async function findProgram(name: string, folders: readonly string[]): Promise<string | undefined> {
  for (const folder of folders) {
    const path = join(folder, name);
    const isThere = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return path;
  }
  return undefined;
}

function canRun([program = '', ...args]: readonly string[]): Promise<boolean> {
  return new Promise((resolve) => {
    execFile(program, args, { env: {}, timeout: TRIAL_TIMEOUT_MS }, (error) => resolve(!error));
  });
}
