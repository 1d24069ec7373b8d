import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '@millrace/testing/eventually';
import type { EnginePoolOptions } from '../src/pool/engine-options.js';
import { EnginePool } from '../src/pool/engine-pool.js';
import type { QueryRequest, QueryResult } from '../src/tasks/query.task.js';

const MiB = 1024 ** 2;

/** A pool with real children in a folder of its own, for specs. */
export class PoolFixture {
  private constructor(
    readonly folder: string,
    readonly pool: EnginePool,
  ) {}

  static async open(options: Partial<EnginePoolOptions> = {}): Promise<PoolFixture> {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-engine-'));
    // Children run as another user and must pass.
    await chmod(folder, 0o711);
    const limits = { memoryBytes: 768 * MiB, spillBytesMax: 1024 * MiB, childrenMax: 2 };
    const pool = new EnginePool({ workDir: join(folder, 'work'), ...limits, ...options });
    await pool.ready();
    return new PoolFixture(folder, pool);
  }

  /** A query with roomy limits. */
  async query(
    sql: string,
    {
      tenantId = 'tenant-a',
      deadlineMs = 20_000,
      signal,
      ...request
    }: Partial<QueryRequest> & {
      tenantId?: string;
      deadlineMs?: number;
      signal?: AbortSignal;
    } = {},
  ): Promise<QueryResult> {
    const limits = { rowsMax: 1_000, answerBytesMax: MiB, resultBytesMax: 1024 * MiB };
    return this.pool.run({ kind: 'query', sql, inputs: [], ...limits, ...request }, { tenantId, deadlineMs, signal });
  }

  /** The rows of a query, from its JSON. */
  async rows(sql: string, request: Partial<QueryRequest> & { tenantId?: string } = {}): Promise<unknown[][]> {
    const result = await this.query(sql, request);
    await rm(result.filePath);
    return JSON.parse(result.rowsJson) as unknown[][];
  }

  /** Files that lie in the input folders of children. */
  async stagedInputs(): Promise<string[]> {
    const paths = await readdir(this.folder, { recursive: true });
    return paths.filter((path) => /\/inputs\/./.test(path));
  }

  /** Files of a moment that lie in the scratch folders of children. */
  async scratchFiles(): Promise<string[]> {
    const paths = await readdir(this.folder, { recursive: true });
    return paths.filter((path) => /\/scratch\/(?!tmp$)/.test(path));
  }

  /** Waits until a child has begun to write its file, so until its statement runs. */
  async untilOutput(): Promise<void> {
    await eventually('a child writes its file', async () =>
      (await readdir(this.folder, { recursive: true })).some((path) => /scratch\/\w+\.parquet$/.test(path)),
    );
  }

  async close(): Promise<void> {
    await this.pool.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/**
 * The living engine processes of a process, the oldest first.
 *
 * @param config a part of what they were told at their start; all are meant when left out
 */
export async function enginePids(parentPid: number, config = ''): Promise<number[]> {
  const pids = (await readdir('/proc')).map(Number).filter(Number.isInteger);
  const found = await Promise.all(
    pids.map(async (pid) => ((await isEngineOf(pid, { parentPid, config })) ? [pid] : [])),
  );
  return found.flat();
}

async function isEngineOf(pid: number, wanted: { parentPid: number; config: string }): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const [state, parent] = status.slice(status.lastIndexOf(')') + 2).split(' ');
  if (Number(parent) !== wanted.parentPid || state === 'Z') return false;
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return command.includes('child/main.js') && command.includes(wanted.config);
}
