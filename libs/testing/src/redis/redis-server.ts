import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../eventually.js';
import { freePort } from '../free-port.js';
import { type RedisRun, startRedisRun } from './redis-run.js';

/** Another process may take the port first. */
const STARTS_MAX = 3;
const COMMAND_TIMEOUT_MS = 10_000;

/** Nothing is kept: a server that is started again is empty. */
const SETTINGS = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--databases', '256'];

/** One Redis on the loopback, for one suite: Debian's `redis-server` where it is on the PATH, else a container. */
export class RedisServer {
  private current: RedisRun | undefined;

  private constructor(
    readonly port: number,
    private readonly folder: string,
    private readonly args: readonly string[],
  ) {}

  /** Takes more of redis-server's arguments: a configuration file first, if there is one. */
  static async start({ port, args = [] }: { port?: number; args?: readonly string[] } = {}): Promise<RedisServer> {
    for (let starts = 1; ; starts += 1) {
      const folder = await mkdtemp(join(tmpdir(), 'millrace-redis-'));
      const server = new RedisServer(port ?? (await freePort()), folder, args);
      try {
        await server.restart();
        return server;
      } catch (error) {
        await server.stop();
        if (starts === STARTS_MAX) throw error;
      }
    }
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Starts it on its port: again, without its data, after `kill`. */
  async restart(): Promise<void> {
    this.current = await startRedisRun([...this.args, '--port', `${this.port}`, '--dir', this.folder, ...SETTINGS]);
    await eventually('redis-server answers', async () => (await this.run('PING').catch(() => '')) === 'PONG');
  }

  /** Ends it at once, with everything it has. */
  async kill(): Promise<void> {
    const { current } = this;
    this.current = undefined;
    await current?.kill();
  }

  /** Runs a command by redis-cli; gives what that prints. */
  async run(...command: readonly string[]): Promise<string> {
    return this.cli(['-p', `${this.port}`, '-e', ...command], COMMAND_TIMEOUT_MS);
  }

  /** Runs redis-cli beside the server. */
  async cli(args: readonly string[], timeoutMs: number): Promise<string> {
    if (!this.current) throw new Error('redis-server was ended.');
    return (await this.current.cli(args, timeoutMs)).trimEnd();
  }

  async stop(): Promise<void> {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }
}
