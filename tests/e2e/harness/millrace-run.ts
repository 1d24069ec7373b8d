import { spawn, type ChildProcess } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MillraceClient } from '@millrace/contract';
import { eventually } from '@millrace/testing';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
export const NODE = join(ROOT, 'node_modules/.bin/node');
export const MAIN = join(ROOT, 'apps/standalone/dist/main.js');

/** On a machine that is busy with other things; alone it takes 3 to 4 s. */
const START_MAX_MS = 90_000;
const END_MAX_MS = 60_000;

/** The user that a process runs as. */
export interface ProcessUser {
  readonly uid: number;
  readonly gid: number;
}

export interface RunOptions {
  readonly dataFolder: string;
  /** All of the environment but the path. */
  readonly variables: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  readonly user?: ProcessUser | undefined;
}

export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Credentials {
  readonly url: string;
  readonly api_key: string;
}

/** One process of `npm start`, leader of a process group as in a terminal. */
export class MillraceRun {
  /** What it wrote to standard output so far. */
  output = '';
  /** What it wrote to standard error so far. */
  complaints = '';
  private found: Credentials | undefined;
  private ended: ProcessEnd | undefined;
  private readonly child: ChildProcess;

  constructor(private readonly options: RunOptions) {
    const { variables, dataFolder, args = [], user } = options;
    this.child = spawn(NODE, ['--enable-source-maps', '--max-semi-space-size=16', MAIN, ...args], {
      cwd: ROOT,
      env: { PATH: process.env['PATH'], ...variables, DATA_DIR: dataFolder },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      ...user,
    });
    this.child.stdout?.on('data', (bytes: Buffer) => (this.output += bytes.toString()));
    this.child.stderr?.on('data', (bytes: Buffer) => (this.complaints += bytes.toString()));
    this.child.once('error', (error) => (this.complaints += error.message));
    this.child.once('close', (code, signal) => (this.ended = { code, signal }));
  }

  get pid(): number {
    if (this.child.pid === undefined) throw new Error(`The process could not be started: ${this.complaints}`);
    return this.child.pid;
  }

  /** Address and key, once it is ready. */
  get credentials(): Credentials {
    if (!this.found) throw new Error('The process is not ready yet.');
    return this.found;
  }

  get asAdmin(): MillraceClient {
    return new MillraceClient({ url: this.credentials.url, apiKey: this.credentials.api_key });
  }

  /** Waits until it says that it is ready, its credentials can be read and it answers. */
  async ready(): Promise<this> {
    await this.untilSaid('Ctrl-C stops it');
    this.found = JSON.parse(await readFile(join(this.options.dataFolder, 'credentials.json'), 'utf8')) as Credentials;
    const address = new URL('/readyz', this.found.url);
    await eventually('the service is ready', async () => (await fetch(address).catch(() => undefined))?.ok);
    return this;
  }

  /** Waits until a text stands in its output. @throws Error when it ends without saying it */
  async untilSaid(text: string): Promise<void> {
    const said = async (): Promise<boolean> => {
      if (this.output.includes(text)) return true;
      if (this.ended) throw new Error(`The process ended with ${JSON.stringify(this.ended)}: ${this.complaints}`);
      return false;
    };
    await eventually(`the process says "${text}"`, said, START_MAX_MS);
  }

  /** To the process alone. One that has ended gets none. */
  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  /** To the process and all in its group, as a terminal sends it. */
  signalGroup(name: NodeJS.Signals): void {
    process.kill(-this.pid, name);
  }

  /** Waits for its end. */
  async end(): Promise<ProcessEnd> {
    return eventually('the process ends', async () => this.ended, END_MAX_MS);
  }

  async kill(): Promise<void> {
    if (this.ended || this.child.pid === undefined) return;
    this.signal('SIGKILL');
    await this.end();
  }
}
