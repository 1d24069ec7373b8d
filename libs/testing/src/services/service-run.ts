import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { eventually } from '../eventually.js';

const ROOT = new URL('../../../../', import.meta.url);

export const APPS = ['gateway', 'query-service', 'convert-worker', 'maintenance-worker'] as const;
export type AppName = (typeof APPS)[number];

/** On a machine that is busy with other things. */
const START_MAX_MS = 120_000;
/** Longer than any service drains in tests and benchmarks. */
const END_MAX_MS = 90_000;
const LINES_KEPT_MAX = 200;

export interface ServiceEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

interface ServiceOptions {
  readonly app: AppName;
  /** All of its environment, beside the PATH and ports that are free. */
  readonly variables: Readonly<Record<string, string>>;
}

/** One process of one service, as the image starts it. It ends with the process that started it, however that ends. */
export class ServiceRun {
  readonly app: AppName;
  /** The last lines that it logged. */
  readonly lines: string[] = [];
  /** Where it serves HTTP, once it does. */
  url: string | undefined;
  private opsUrl: string | undefined;
  private hasStarted = false;
  private end: ServiceEnd | undefined;
  private readonly child: ChildProcess;

  constructor({ app, variables }: ServiceOptions) {
    this.app = app;
    const main = fileURLToPath(new URL(`apps/${app}/dist/main.js`, ROOT));
    const program = [process.execPath, '--enable-source-maps', '--max-semi-space-size=16', main];
    this.child = spawn('setpriv', ['--pdeathsig=TERM', ...program], {
      cwd: ROOT,
      env: { PATH: process.env['PATH'], PORT: '0', OPS_PORT: '0', ...variables },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own: Ctrl-C reaches who started it alone, who then stops it in order.
      detached: true,
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      if (stream) createInterface({ input: stream }).on('line', (line) => this.onLine(line));
    }
    this.child.once('exit', (code, signal) => (this.end = { code, signal }));
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get hasEnded(): boolean {
    return this.end !== undefined;
  }

  /** Whether it says that it is ready, at this moment. */
  async isReady(): Promise<boolean> {
    // The line that it has started can come after the first answer that it is ready.
    if (this.opsUrl === undefined || !this.hasStarted || this.hasEnded) return false;
    const answer = await fetch(`${this.opsUrl}/readyz`).catch(() => undefined);
    await answer?.body?.cancel();
    return answer?.status === 200;
  }

  /** A page of its operations door, as text. @throws Error when it does not answer */
  async page(path: string): Promise<string> {
    return (await fetch(`${this.opsUrl}${path}`)).text();
  }

  /** @throws Error with its last lines when it is not ready in time, or ends; the reason of the signal when that is aborted */
  async untilReady(signal?: AbortSignal): Promise<this> {
    const isReady = async (): Promise<boolean> => {
      signal?.throwIfAborted();
      if (this.end)
        throw new Error(`The ${this.app} ended with ${JSON.stringify(this.end)}:\n${this.lines.join('\n')}`);
      return this.isReady();
    };
    await eventually(`the ${this.app} is ready`, isReady, START_MAX_MS);
    return this;
  }

  /** Sends a signal and waits for the end; what does not end in time is killed. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<ServiceEnd> {
    if (!this.end) {
      const ended = once(this.child, 'exit');
      this.child.kill(signal);
      const timer = setTimeout(() => this.child.kill('SIGKILL'), END_MAX_MS);
      await ended;
      clearTimeout(timer);
    }
    return this.end ?? { code: null, signal };
  }

  private onLine(line: string): void {
    if (this.lines.push(line) > LINES_KEPT_MAX) this.lines.shift();
    // Most lines are of requests and jobs, and to parse them would cost whoever measures.
    if (line.includes('"msg":"the operations door is open"')) this.opsUrl = urlIn(line);
    if (!line.includes('"msg":"started"')) return;
    this.url = urlIn(line);
    this.hasStarted = true;
  }
}

function urlIn(line: string): string | undefined {
  return (JSON.parse(line) as { readonly url?: string }).url;
}
