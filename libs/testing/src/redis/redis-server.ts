import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { eventually } from '../eventually.js';
import { freePort } from '../free-port.js';

const exec = promisify(execFile);

/** Another process may take the port first. */
const STARTS_MAX = 3;
const COMMAND_TIMEOUT_MS = 10_000;

/** Nothing is kept: a server that is started again is empty. Debian's `redis-server` must be on the PATH. */
const SETTINGS = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--databases', '256'];

/** One `redis-server` on the loopback, for one suite; it ends with the process that started it, however that ends. */
export class RedisServer {
  private process: ChildProcess | undefined;

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
    const server = ['redis-server', ...this.args, '--port', `${this.port}`, '--dir', this.folder, ...SETTINGS];
    // So that it goes when the run of the tests is killed.
    const process = spawn('setpriv', ['--pdeathsig=KILL', ...server], { stdio: 'ignore' });
    this.process = process;
    await once(process, 'spawn');
    await eventually('redis-server answers', async () => {
      if (process.exitCode !== null) throw new Error(`redis-server ended with code ${process.exitCode}`);
      return (await this.run('PING').catch(() => '')) === 'PONG';
    });
  }

  /** Ends it at once, with everything it has. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  /** Makes it silent without closing a connection, until it is woken. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.process?.kill(signal);
  }

  /** Runs a command by redis-cli; gives what that prints. */
  async run(...command: readonly string[]): Promise<string> {
    const { stdout } = await exec('redis-cli', ['-p', `${this.port}`, '-e', ...command], {
      timeout: COMMAND_TIMEOUT_MS,
    });
    return stdout.trimEnd();
  }

  async stop(): Promise<void> {
    await this.end('SIGKILL');
    await rm(this.folder, { recursive: true, force: true });
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const { process } = this;
    this.process = undefined;
    if (!process?.pid || process.exitCode !== null || process.signalCode !== null) return;
    const ended = once(process, 'exit');
    process.kill(signal);
    await ended;
  }
}
