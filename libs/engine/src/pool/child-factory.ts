import { readdir } from 'node:fs/promises';
import { ChildFolder } from './child-folder.js';
import { ChildSetup } from './child-setup.js';
import { EngineChild } from './engine-child.js';
import type { EnginePoolOptions } from './engine-options.js';
import type { ChildRlimits } from './guards.js';
import type { ChildConfig } from './wire.js';
import type { WorkFolder } from './work-folder.js';

type ChildRole = ChildConfig['role'];

/** The share of a child's budget that DuckDB may know of; the rest is for what it does not count. */
const DUCKDB_MEMORY_SHARE = 0.5;
/**
 * The share of its budget that a child may keep from task to task; what it keeps, the next statement can't have. After one
 * value of 80 MB a child of 1.5 GiB keeps 340 to 680 MiB, and the same statement may end in `query.memory` there.
 */
const KEPT_MEMORY_SHARES: Readonly<Record<ChildRole, number>> = { table: 0.25, parse: 0.125 };
/** A child without a task that keeps no more of its budget than this share is one of many that wait for their tenant. */
const LIGHT_MEMORY_SHARE = 0.125;
/** A list of 100,000 numbers takes 150 MB in DuckDB, and as a tree in JavaScript 100 more. */
const PARSE_MEMORY_BYTES = 1024 ** 3;
const OPEN_FILES_MAX = 1_024;

/** Threads beyond those of an idle child: the second instance of an export, and what is not known. */
const THREADS_BEYOND_IDLE_MAX = 16;

/** What an idle child has. */
interface IdleChild {
  /** VmData. */
  readonly dataBytes: number;
  readonly threads: number;
}

/** Starts children, all with the same guards and limits. */
export class ChildFactory {
  private constructor(
    private readonly options: EnginePoolOptions,
    private readonly work: WorkFolder,
    private readonly setup: ChildSetup,
    /** Undefined without `prlimit`. */
    private readonly idle: IdleChild | undefined,
  ) {}

  /** Finds out what children can be here, and measures an idle one. */
  static async create(options: EnginePoolOptions, work: WorkFolder): Promise<ChildFactory> {
    const measure = async (setup: ChildSetup): Promise<IdleChild> => {
      const child = await new ChildFactory(options, work, setup, undefined).start('table');
      const { dataBytes } = child;
      const threads = await threadsOf(child);
      await child.dispose();
      return { dataBytes, threads };
    };
    const { setup, found } = await ChildSetup.choose(options, measure);
    return new ChildFactory(options, work, setup, setup.guards.prlimit ? found : undefined);
  }

  async start(role: ChildRole): Promise<EngineChild> {
    const { users, guards } = this.setup;
    const user = users.take();
    try {
      const folder = await ChildFolder.create(this.work.childrenDir, user);
      const config = this.configOf(role, folder);
      const child = await EngineChild.start(folder, { config, user, guards, rlimits: this.rlimits(role) });
      void child.whenEnded().then(() => users.giveBack(user));
      return child;
    } catch (error) {
      users.giveBack(user);
      throw error;
    }
  }

  /** Whether a child holds so much memory between tasks that a fresh one is better. */
  isSwollen(child: EngineChild, role: ChildRole): boolean {
    return this.keptBytes(child) > KEPT_MEMORY_SHARES[role] * this.budgetOf(role);
  }

  /** Whether a child keeps so much memory that only few like it may wait for a task. */
  isHeavy(child: EngineChild, role: ChildRole): boolean {
    return this.keptBytes(child) > LIGHT_MEMORY_SHARE * this.budgetOf(role);
  }

  /** What a child has beyond a fresh one; unknown, and so 0, without `prlimit`. */
  private keptBytes({ dataBytes }: EngineChild): number {
    return this.idle === undefined ? 0 : dataBytes - this.idle.dataBytes;
  }

  private configOf(role: ChildRole, { inputsDir, scratchDir, pipesDir }: ChildFolder): ChildConfig {
    const { threads, spillBytesMax, isolation } = this.options;
    return {
      ...{ role, inputsDir, scratchDir, pipesDir, isolation },
      memoryLimitBytes: Math.floor(this.budgetOf(role) * DUCKDB_MEMORY_SHARE),
      threads: role === 'parse' ? 1 : threads,
      spillBytesMax: role === 'parse' ? 0 : spillBytesMax,
    };
  }

  private rlimits(role: ChildRole): ChildRlimits | undefined {
    if (this.idle === undefined) return undefined;
    const { dataBytes, threads } = this.idle;
    return {
      dataBytes: dataBytes + this.budgetOf(role),
      fileBytes: role === 'parse' ? 0 : this.options.fileBytesMax,
      openFiles: OPEN_FILES_MAX,
      threads: this.setup.users.areAlone && threads > 0 ? threads + THREADS_BEYOND_IDLE_MAX : undefined,
    };
  }

  private budgetOf(role: ChildRole): number {
    const { memoryBytes } = this.options;
    return role === 'parse' ? Math.min(PARSE_MEMORY_BYTES, memoryBytes) : memoryBytes;
  }
}

/** 0 where the system doesn't tell. */
async function threadsOf({ pid }: EngineChild): Promise<number> {
  return readdir(`/proc/${pid}/task`).then(
    (threads) => threads.length,
    () => 0,
  );
}
