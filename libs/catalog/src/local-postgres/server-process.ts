import { spawn, type ChildProcess } from 'node:child_process';
import { open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { commandAs, type PostgresAccount } from './postgres-account.js';
import { findPostmaster } from './postmaster-file.js';

const POLL_MS = 20;
/** A start after a crash replays the log, which can take a while. */
const START_MAX_MS = 120_000;

/** What it takes to run the server. */
export interface ServerPlace {
  readonly program: string;
  /** Absolute, without symbolic links. */
  readonly dataFolder: string;
  readonly account: PostgresAccount | undefined;
  readonly port: number;
  /** As `name=value`. */
  readonly settings: readonly string[];
  readonly logFile: string;
}

/** One run of the server, from its start to its end. */
export class ServerProcess {
  /** Resolves when the process has ended, with how: `code 1`, `signal SIGKILL`. */
  readonly ended: Promise<string>;
  private end: string | undefined;

  private constructor(private readonly process: ChildProcess) {
    this.ended = new Promise<string>((resolve) => {
      process.once('error', (error) => resolve(error.message));
      process.once('exit', (code, signal) => resolve(signal ? `signal ${signal}` : `code ${code}`));
    }).then((end) => (this.end = end));
    process.unref();
  }

  /**
   * Starts the server in a session of its own and waits until it takes connections.
   *
   * @throws Error when it ends before, or takes too long
   */
  static async start(place: ServerPlace): Promise<ServerProcess> {
    const settings = [`port=${place.port}`, 'listen_addresses=127.0.0.1', 'unix_socket_directories='];
    const { program, args, ...account } = await commandAs(place.account, {
      program: place.program,
      args: ['-D', place.dataFolder, ...[...settings, ...place.settings].flatMap((setting) => ['-c', setting])],
      folders: [place.dataFolder],
    });
    const log = await open(place.logFile, 'a', 0o600);
    const stdio = ['ignore', log.fd, log.fd] as const;
    const server = new ServerProcess(spawn(program, args, { ...account, cwd: '/', detached: true, stdio: [...stdio] }));
    await log.close();
    await server.untilReady(place).catch((error: unknown) => {
      server.interrupt();
      throw error;
    });
    return server;
  }

  /** Tells the server to roll back what is open and to end, without waiting for it. */
  interrupt(): void {
    this.process.kill('SIGINT');
  }

  /**
   * Waits until the operating system has taken the process away. A process on its way out shows no arguments any more,
   * so that it looks gone, while it still holds its port.
   */
  async untilEnded(): Promise<void> {
    this.process.ref();
    await this.ended;
  }

  private async untilReady({ dataFolder, logFile }: ServerPlace): Promise<void> {
    for (const deadline = Date.now() + START_MAX_MS; Date.now() < deadline; await sleep(POLL_MS)) {
      if (this.end !== undefined) throw new Error(`Postgres ended with ${this.end}; its log: ${logFile}`);
      if ((await findPostmaster(dataFolder))?.ready) return;
    }
    throw new Error(`Postgres was not ready within ${START_MAX_MS} ms; its log: ${logFile}`);
  }
}
