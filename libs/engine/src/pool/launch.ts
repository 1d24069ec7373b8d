import { type ChildProcess, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import type { ChildUser } from './child-folder.js';
import { type ChildRlimits, guardedCommand, type Guards } from './guards.js';
import type { ChildConfig } from './wire.js';

export interface LaunchOptions {
  readonly config: ChildConfig;
  readonly user: ChildUser | undefined;
  readonly guards: Guards;
  /** Undefined: the figures are still to be measured. */
  readonly rlimits: ChildRlimits | undefined;
  /** The program; that of engine processes unless a test has one that does other things. */
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

/** Starts a child behind the guards, which become Node in the same process. */
export function launchChild({ config, user, guards, rlimits, entry = childEntry }: LaunchOptions): ChildProcess {
  const node = [process.execPath, `--max-old-space-size=${HEAP_MEGABYTES_MAX}`, entry, JSON.stringify(config)];
  const [command = '', ...args] = guardedCommand(node, guards, { user, rlimits });
  return spawn(command, args, {
    cwd: config.scratchDir,
    // An environment of one line.
    env: { DUCKDB_JE_MALLOC_CONF: ALLOCATOR_CONFIG },
    // The last one is the channel (`CHANNEL_FD`): Node makes a socket of it, open in both directions.
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    // `setpriv` changes the user when what needs the old one's rights is done.
    ...(guards.setpriv ? {} : user),
  });
}
