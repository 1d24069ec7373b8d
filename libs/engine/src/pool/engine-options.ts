import type { ChildUser } from './child-folder.js';
import type { UserRange } from './child-users.js';
import type { ReaderPaceLimits } from './reader-pace.js';

/** What the pool logs to; shaped like pino. */
export interface EngineLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  debug(fields: object, message: string): void;
}

export interface EnginePoolOptions {
  /** A folder on a local disk; children spill and write here. Several pools and services may share it. */
  readonly workDir: string;
  /** Children at work at one time. One spare comes on top. */
  readonly childrenMax: number;
  /**
   * Children with a tenant at one time, at work or waiting for the next task of their tenant. One that waits with more than
   * an eighth of its budget counts among those at work. Undefined: as many as may work.
   */
  readonly childrenKeptMax: number | undefined;
  /**
   * Children of one tenant at one time. Its further callers wait even while nobody else does: a child that is busy for
   * half an hour can't be taken back. Undefined: all but one, so that another tenant finds one.
   */
  readonly childrenPerTenantMax: number | undefined;
  /** Children that parse statements at one time, beside those; 0 for a pool that never parses. */
  readonly parseChildrenMax: number;
  /** Children that parse, at work and idle: of so many tenants each finds its own. */
  readonly parseChildrenKeptMax: number;
  /** The memory budget of one child, beyond what an idle child has. */
  readonly memoryBytes: number;
  /** DuckDB threads of one child. */
  readonly threads: number;
  /** Bytes that one child may spill to disk. */
  readonly spillBytesMax: number;
  /** Bytes of one file that a child may write. */
  readonly fileBytesMax: number;
  /** Tasks after which a child is replaced. */
  readonly tasksPerChildMax: number;
  /** Age at which an idle child is replaced. */
  readonly childAgeMaxMs: number;
  /**
   * How long an idle child has the files of its last task, so that the next one over them finds them, footers and all. A
   * link keeps their bytes on the disk after they were deleted.
   */
  readonly inputsKeptMs: number;
  /** `tenant`: one DuckDB instance for the life of a child; `statement`: a new one, with only its own files, each time. */
  readonly isolation: 'tenant' | 'statement';
  /** Callers of all tenants that may wait for a child; more are refused with `query.too_many`. */
  readonly queueMax: number;
  /** Callers of one tenant that may wait for a child. */
  readonly queuePerTenantMax: number;
  /** How slow the reader of an export may be; beyond that it is broken off, for it holds a child. */
  readonly exportPace: ReaderPaceLimits;
  /** How long an export waits for a child: nobody knows when the readers of others will have ended. */
  readonly exportWaitMaxMs: number;
  /** When the service runs as root, each child is a user of its own from this range, where the system can do it. */
  readonly ownUsers: UserRange;
  /** Else, when the service runs as root, all children are this one. */
  readonly sharedUser: ChildUser;
  /** Folders in which `prlimit`, `setpriv` and `unshare` are looked for. */
  readonly programFolders: readonly string[];
  readonly logger: EngineLogger;
}

const GiB = 1024 ** 3;
const silent = (): void => undefined;

export const DEFAULT_ENGINE_OPTIONS: Omit<EnginePoolOptions, 'workDir'> = {
  childrenMax: 4,
  childrenKeptMax: undefined,
  childrenPerTenantMax: undefined,
  parseChildrenMax: 2,
  parseChildrenKeptMax: 16,
  memoryBytes: 1.5 * GiB,
  threads: 2,
  spillBytesMax: 10 * GiB,
  fileBytesMax: 200 * GiB,
  tasksPerChildMax: 1_000,
  childAgeMaxMs: 60 * 60_000,
  inputsKeptMs: 10_000,
  isolation: 'tenant',
  queueMax: 256,
  queuePerTenantMax: 32,
  exportPace: { idleMaxMs: 60_000, bytesPerSecondMin: 64 * 1024 },
  exportWaitMaxMs: 30_000,
  ownUsers: { first: 2_000_000_000, count: 100_000_000 },
  sharedUser: { uid: 65_534, gid: 65_534 },
  programFolders: ['/usr/bin', '/bin', '/usr/sbin', '/sbin'],
  logger: { info: silent, warn: silent, error: silent, debug: silent },
};
