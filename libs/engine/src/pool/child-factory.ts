import type { EnginePoolOptions } from './engine-options.js';
import { ChildFolder, type ChildUser } from './child-folder.js';
import { EngineChild } from './engine-child.js';
import { type ChildRlimits, hasPrlimit } from './launch.js';
import { loggedError } from './logged-error.js';
import type { ChildConfig } from './wire.js';
import type { WorkFolder } from './work-folder.js';

/** The share of a child's budget that DuckDB may know of; the rest is for what it does not count. */
const DUCKDB_MEMORY_SHARE = 0.5;
const PARSE_MEMORY_BYTES = 256 * 1024 ** 2;
const OPEN_FILES_MAX = 1_024;

type ChildRole = ChildConfig['role'];

/** Starts children, all alike: as the same user, with the same limits. */
export class ChildFactory {
  private constructor(
    private readonly options: EnginePoolOptions,
    private readonly folder: WorkFolder,
    private readonly user: ChildUser | undefined,
    /** VmData of an idle child; undefined without `prlimit`. */
    private readonly idleDataBytes: number | undefined,
  ) {}

  /** Measures an idle child, and finds out which user the children can be. */
  static async create(options: EnginePoolOptions, folder: WorkFolder): Promise<ChildFactory> {
    const wanted = process.getuid?.() === 0 ? { uid: options.childUid, gid: options.childGid } : undefined;
    const probed = await probeAs(options, folder, wanted);
    if (probed.user === undefined && wanted) {
      options.logger.warn(
        loggedError(probed.reason),
        'engine processes stay root: the unprivileged user can not start one',
      );
    }
    const canLimit = await hasPrlimit();
    if (!canLimit) options.logger.warn({}, 'no prlimit on this system: engine processes have no memory fence');
    return new ChildFactory(options, folder, probed.user, canLimit ? probed.dataBytes : undefined);
  }

  async start(role: ChildRole): Promise<EngineChild> {
    return startChild({
      options: this.options,
      work: this.folder,
      user: this.user,
      role,
      rlimits: this.rlimits(role),
    });
  }

  /** Whether a child holds so much memory between tasks that a fresh one is better. */
  isSwollen(child: EngineChild): boolean {
    return this.idleDataBytes !== undefined && child.dataBytes - this.idleDataBytes > 0.75 * this.options.memoryBytes;
  }

  private rlimits(role: ChildRole): ChildRlimits | undefined {
    if (this.idleDataBytes === undefined) return undefined;
    return {
      dataBytes: this.idleDataBytes + budgetOf(role, this.options),
      fileBytes: role === 'parse' ? 0 : this.options.fileBytesMax,
      openFiles: OPEN_FILES_MAX,
    };
  }
}

interface StartOptions {
  readonly options: EnginePoolOptions;
  readonly work: WorkFolder;
  readonly user: ChildUser | undefined;
  readonly role: ChildRole;
  readonly rlimits: ChildRlimits | undefined;
}

async function startChild({ options, work, user, role, rlimits }: StartOptions): Promise<EngineChild> {
  const folder = await ChildFolder.create(work.childrenDir, user);
  const config: ChildConfig = {
    role,
    inputsDir: folder.inputsDir,
    scratchDir: folder.scratchDir,
    memoryLimitBytes: Math.floor(budgetOf(role, options) * DUCKDB_MEMORY_SHARE),
    threads: role === 'parse' ? 1 : options.threads,
    spillBytesMax: role === 'parse' ? 0 : options.spillBytesMax,
    isolation: options.isolation,
  };
  return EngineChild.start(folder, { config, user, rlimits });
}

interface Probe {
  readonly user: ChildUser | undefined;
  readonly dataBytes: number;
  readonly reason?: unknown;
}

/** Starts a child without limits as the wanted user, or as ourselves when that one can't read the code or the folder. */
async function probeAs(options: EnginePoolOptions, work: WorkFolder, wanted: ChildUser | undefined): Promise<Probe> {
  const probe = async (user: ChildUser | undefined): Promise<Probe> => {
    const child = await startChild({ options, work, user, role: 'table', rlimits: undefined });
    const { dataBytes } = child;
    await child.dispose();
    return { user, dataBytes };
  };
  if (!wanted) return probe(undefined);
  return probe(wanted).catch(async (reason: unknown) => ({ ...(await probe(undefined)), reason }));
}

function budgetOf(role: ChildRole, { memoryBytes }: EnginePoolOptions): number {
  return role === 'parse' ? Math.min(PARSE_MEMORY_BYTES, memoryBytes) : memoryBytes;
}
