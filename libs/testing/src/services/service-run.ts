import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from '@millrace/testing';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const NODE = join(ROOT, 'node_modules/.bin/node');

export const APPS = ['gateway', 'query-service', 'convert-worker', 'maintenance-worker'] as const;
export type AppName = (typeof APPS)[number];

/** On a machine that is busy with other things. */
const START_MAX_MS = 90_000;
const END_MAX_MS = 90_000;
const LINES_KEPT_MAX = 200;

interface LogLine {
  readonly msg?: string;
  readonly url?: string;
}

export interface ServiceEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** One process of one service. */
export class ServiceRun {
  /** The last lines that it logged. */
  readonly lines: string[] = [];
  /** Where it serves HTTP, once it does. */
  url: string | undefined;
  private opsUrl: string | undefined;
  private end: ServiceEnd | undefined;
  private readonly child: ChildProcess;

  constructor(
    readonly app: AppName,
    variables: Readonly<Record<string, string>>,
  ) {
    this.child = spawn(NODE, ['--enable-source-maps', join(ROOT, `apps/${app}/dist/main.js`)], {
      cwd: ROOT,
      env: { PATH: process.env['PATH'], PORT: '0', OPS_PORT: '0', ...variables },
      stdio: ['ignore', 'pipe', 'pipe'],
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
    if (this.opsUrl === undefined || this.hasEnded) return false;
    const answer = await fetch(`${this.opsUrl}/readyz`).catch(() => undefined);
    await answer?.body?.cancel();
    return answer?.status === 200;
  }

  /** A page of its operations door, as text. @throws Error when it does not answer */
  async page(path: string): Promise<string> {
    return (await fetch(`${this.opsUrl}${path}`)).text();
  }

  /** @throws Error when it is not ready in time, or ends */
  async untilReady(): Promise<this> {
    await eventually(
      `the ${this.app} is ready`,
      async () => {
        if (this.end)
          throw new Error(`The ${this.app} ended with ${JSON.stringify(this.end)}:\n${this.lines.join('\n')}`);
        return this.isReady();
      },
      START_MAX_MS,
    );
    return this;
  }

  /** Sends a signal and waits for the end. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<ServiceEnd> {
    if (!this.end) {
      const ended = once(this.child, 'exit', { signal: AbortSignal.timeout(END_MAX_MS) });
      this.child.kill(signal);
      await ended;
    }
    return this.end ?? { code: null, signal };
  }

  private onLine(line: string): void {
    if (this.lines.push(line) > LINES_KEPT_MAX) this.lines.shift();
    const { msg, url } = parse(line);
    if (msg === 'the operations door is open') this.opsUrl = url;
    if (msg === 'started') this.url = url;
  }
}

function parse(line: string): LogLine {
  try {
    return JSON.parse(line) as LogLine;
  } catch {
    return {};
  }
}
