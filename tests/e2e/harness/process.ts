import { chmod, chown, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '@millrace/testing';
import { MillraceRun, type ProcessUser } from './millrace-run.js';
import { processesNaming, type ListedProcess } from './process-list.js';

/** Short enough that a test can wait for what outlives its lease, long enough for a busy machine. */
const SETTINGS = {
  PORT: '0',
  LEASE_MS: '2000',
  SWEEP_INTERVAL_MS: '200',
  DELETION_GRACE_MS: '500',
  DRAIN_MS: '15000',
  DATABASE_POOL_MAX: '6',
};

const LOG_LINES_SHOWN = 30;

export interface MillraceOnFolderOptions {
  readonly variables?: Readonly<Record<string, string>>;
  /** Who the processes run as; the user of the tests when left out. */
  readonly user?: ProcessUser | undefined;
}

const open = new Set<MillraceOnFolder>();

/** What a test that ran out of time has not disposed of itself; for `afterEach`. */
export async function disposeLeftovers(): Promise<void> {
  for (const millrace of open) await millrace.dispose();
}

/** A data folder of its own, and the real processes that a test runs on it one after the other. */
export class MillraceOnFolder {
  readonly dataFolder: string;
  private readonly runs: MillraceRun[] = [];

  private constructor(
    private readonly folder: string,
    private readonly options: MillraceOnFolderOptions,
  ) {
    this.dataFolder = join(folder, 'data');
    open.add(this);
  }

  static async create(options: MillraceOnFolderOptions = {}): Promise<MillraceOnFolder> {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-process-'));
    // Postgres and the engine run as users without rights, who have to pass.
    await chmod(folder, 0o711);
    if (options.user) await chown(folder, options.user.uid, options.user.gid);
    return new MillraceOnFolder(folder, options);
  }

  /** Runs a test on a folder of its own. Nothing is left afterwards; when it fails, the last lines of the logs are shown. */
  static async use(
    work: (millrace: MillraceOnFolder) => Promise<void>,
    options: MillraceOnFolderOptions = {},
  ): Promise<void> {
    const millrace = await MillraceOnFolder.create(options);
    try {
      await millrace.explained(() => work(millrace));
    } finally {
      await millrace.dispose();
    }
  }

  /** Starts a process and does not wait for anything. */
  spawn(variables: Readonly<Record<string, string>> = {}, args: readonly string[] = []): MillraceRun {
    const { user, variables: ofAll } = this.options;
    const run = new MillraceRun({
      dataFolder: this.dataFolder,
      variables: { ...SETTINGS, ...ofAll, ...variables },
      args,
      user,
    });
    this.runs.push(run);
    return run;
  }

  /** Starts a process and waits until it is ready. */
  async start(variables: Readonly<Record<string, string>> = {}): Promise<MillraceRun> {
    return this.spawn(variables).ready();
  }

  /** What runs on the folder beside the processes themselves: Postgres and engine processes. */
  processes(): Promise<ListedProcess[]> {
    return processesNaming(this.folder);
  }

  async postgresPid(): Promise<number> {
    return Number((await this.postmasterFile())[0]);
  }

  /** The address of the database behind the services, while they run. */
  async databaseUrl(): Promise<string> {
    const password = (await readFile(join(this.dataFolder, 'postgres/password'), 'utf8')).trim();
    return `postgres://millrace:${password}@127.0.0.1:${(await this.postmasterFile())[3]}/millrace`;
  }

  /** Runs a part of a test; when it fails, the last lines of what the processes said and logged are shown. */
  async explained<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      process.stderr.write(await this.lastWords());
      throw error;
    }
  }

  /** Ends everything, however it is, and removes the folder. */
  async dispose(): Promise<void> {
    for (const run of this.runs) await run.kill();
    await eventually('nothing runs on the folder', async () => {
      const left = await this.processes();
      for (const { pid } of left) killIfThere(pid);
      return left.length === 0;
    });
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
    open.delete(this);
  }

  private async postmasterFile(): Promise<string[]> {
    return (await readFile(join(this.dataFolder, 'postgres/data/postmaster.pid'), 'utf8')).split('\n');
  }

  private async lastWords(): Promise<string> {
    const run = this.runs.at(-1);
    const parts: [string, string][] = [
      ['standard output', run?.output ?? ''],
      ['standard error', run?.complaints ?? ''],
      ['millrace.log', await this.read('millrace.log')],
      ['postgres.log', await this.read('postgres/postgres.log')],
    ];
    return parts
      .map(([name, text]) => `--- ${name}\n${text.split('\n').slice(-LOG_LINES_SHOWN).join('\n')}\n`)
      .join('');
  }

  private read(name: string): Promise<string> {
    return readFile(join(this.dataFolder, name), 'utf8').catch(() => '');
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}
