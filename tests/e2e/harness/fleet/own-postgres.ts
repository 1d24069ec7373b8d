import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalPostgres } from '@millrace/catalog/local-postgres';
import { eventually } from '@millrace/testing';

/** Commits wait for the write, unlike those of the server that suites share: what was acknowledged outlives a crash of it. */
const SETTINGS = ['fsync=off', 'full_page_writes=off', 'max_connections=300'];

/** A Postgres that nobody else uses, so that it can be ended. It is started again by itself, at its address. */
export class OwnPostgres {
  private constructor(
    private readonly folder: string,
    private readonly server: LocalPostgres,
    readonly databaseUrl: string,
  ) {}

  static async start(): Promise<OwnPostgres> {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-fleet-postgres-'));
    // As root, Postgres runs as another user and has to pass.
    await chmod(folder, 0o711);
    const server = await LocalPostgres.start({ folder: join(folder, 'server'), settings: SETTINGS });
    return new OwnPostgres(folder, server, await server.ensureDatabase('millrace'));
  }

  /**
   * Ends it, and waits until another process serves.
   *
   * @param signal SIGINT: all connections end with a word, as when an administrator restarts it; SIGKILL: as in a crash
   */
  async restart(signal: 'SIGINT' | 'SIGKILL'): Promise<void> {
    const [pid] = await this.postmaster();
    process.kill(Number(pid), signal);
    await eventually('another Postgres serves', async () => {
      const [found, , , , , , , state] = await this.postmaster();
      return found !== pid && state === 'ready';
    });
  }

  async stop(): Promise<void> {
    await this.server.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** What the server says of itself, line by line: its process id first, its state eighth. */
  private async postmaster(): Promise<string[]> {
    const text = await readFile(join(this.folder, 'server/data/postmaster.pid'), 'utf8').catch(() => '');
    return text.split('\n').map((line) => line.trim());
  }
}
