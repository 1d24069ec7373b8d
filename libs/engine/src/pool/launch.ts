import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import type { ChildUser } from './child-folder.js';
import type { ChildConfig } from './wire.js';

/** The limits that the operating system puts on a child. */
export interface ChildRlimits {
  /** RLIMIT_DATA. */
  readonly dataBytes: number;
  /** RLIMIT_FSIZE. */
  readonly fileBytes: number;
  /** RLIMIT_NOFILE. */
  readonly openFiles: number;
}

export interface LaunchOptions {
  readonly config: ChildConfig;
  readonly user: ChildUser | undefined;
  /** Undefined: the system has no `prlimit`, or the figures are still to be measured. */
  readonly rlimits: ChildRlimits | undefined;
  /** The program; that of engine processes unless a test has one that says other things. */
  readonly entry?: string | undefined;
}

/** By package name, so that it is the built file also where the sources run untranslated. */
const childEntry = createRequire(import.meta.url).resolve('@millrace/engine/child');

/**
 * DuckDB's allocator (jemalloc) keeps address space that it has freed, and RLIMIT_DATA counts it: a sort within
 * `memory_limit` ran into a fence of twice that, and the data segment stayed full afterwards. Without `retain` it gives
 * the space back.
 */
const ALLOCATOR_CONFIG = 'retain:false,dirty_decay_ms:50,muzzy_decay_ms:0';

/** The most JavaScript memory of a child: rows never become JavaScript objects, an answer is at most a few strings. */
const HEAP_MEGABYTES_MAX = 512;

/** Starts a child: `prlimit` sets its limits and becomes Node in the same process. */
export function launchChild({ config, user, rlimits, entry = childEntry }: LaunchOptions): ChildProcess {
  const node = [process.execPath, `--max-old-space-size=${HEAP_MEGABYTES_MAX}`, entry, JSON.stringify(config)];
  const [command = '', ...args] = rlimits ? ['prlimit', ...prlimitArguments(rlimits), '--', ...node] : node;
  return spawn(command, args, {
    cwd: config.scratchDir,
    // An environment of one line; without a PATH, `prlimit` is looked for in /usr/bin and /bin.
    env: { DUCKDB_JE_MALLOC_CONF: ALLOCATOR_CONFIG },
    // The last one is the channel (`CHANNEL_FD`): Node makes a socket of it, open in both directions.
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    ...user,
  });
}

function prlimitArguments(rlimits: ChildRlimits): string[] {
  return [`--data=${rlimits.dataBytes}`, `--fsize=${rlimits.fileBytes}`, `--nofile=${rlimits.openFiles}`, '--core=0'];
}

/** Whether the system has `prlimit`. */
export async function hasPrlimit(): Promise<boolean> {
  return new Promise((resolve) => {
    execFile('prlimit', ['--version'], { env: {}, timeout: 5_000 }, (error) => resolve(!error));
  });
}
