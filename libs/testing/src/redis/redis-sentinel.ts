import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../eventually.js';
import { RedisServer } from './redis-server.js';

const MASTER_NAME = 'main';
const DOWN_AFTER_MS = 500;
const FAILOVER_TIMEOUT_MS = 3_000;

/** A master with a replica, and a sentinel that makes the replica the master when the master is gone. */
export class RedisSentinel {
  private constructor(
    private readonly folder: string,
    readonly master: RedisServer,
    readonly replica: RedisServer,
    private readonly sentinel: RedisServer,
  ) {}

  static async start(): Promise<RedisSentinel> {
    const master = await RedisServer.start();
    const replica = await RedisServer.start({
      args: ['--replicaof', `127.0.0.1 ${master.port}`, '--repl-diskless-sync-delay', '0'],
    });
    const folder = await mkdtemp(join(tmpdir(), 'millrace-sentinel-'));
    const file = join(folder, 'sentinel.conf');
    const settings = [
      `monitor ${MASTER_NAME} 127.0.0.1 ${master.port} 1`,
      `down-after-milliseconds ${MASTER_NAME} ${DOWN_AFTER_MS}`,
      `failover-timeout ${MASTER_NAME} ${FAILOVER_TIMEOUT_MS}`,
    ];
    await writeFile(file, settings.map((setting) => `sentinel ${setting}\n`).join(''));
    const sentinel = await RedisServer.start({ args: [file, '--sentinel'] });
    const started = new RedisSentinel(folder, master, replica, sentinel);
    await eventually('the sentinel knows an able replica', () => started.isAbleToFailOver(), 30_000);
    return started;
  }

  get url(): string {
    return `redis+sentinel://127.0.0.1:${this.sentinel.port}/${MASTER_NAME}`;
  }

  /** Kills the master and waits until the replica has taken its place. */
  async failOver(): Promise<void> {
    await this.master.kill();
    // The sentinel ends all connections to the server that it promotes, ours too.
    const role = () => this.replica.run('ROLE').catch(() => 'none that it can tell');
    const isMaster = async () => (await role()).startsWith('master');
    await eventually('the replica is the master', isMaster, 60_000);
  }

  async stop(): Promise<void> {
    await Promise.all([this.sentinel, this.replica, this.master].map((server) => server.stop()));
    await rm(this.folder, { recursive: true, force: true });
  }

  private async isAbleToFailOver(): Promise<boolean> {
    const [known, replication] = await Promise.all([
      this.sentinel.run('SENTINEL', 'REPLICAS', MASTER_NAME),
      this.master.run('INFO', 'replication'),
    ]);
    return known.includes(`127.0.0.1:${this.replica.port}`) && replication.includes('state=online');
  }
}
