import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const ROOT = new URL('../../../', import.meta.url);
const START_MAX_MS = 120_000;
/** Longer than a service drains here. */
const STOP_MAX_MS = 40_000;
const POLL_MS = 50;
/** For the message when it does not start. */
const LINES_KEPT_MAX = 30;

/** @typedef {'gateway' | 'query-service' | 'convert-worker' | 'maintenance-worker'} App */

/** One process of one service, as a deployment starts it. */
export class Service {
  #child;
  #opsUrl;
  #hasStarted = false;
  #lines = [];

  /** @param {{ app: App, variables: Record<string, string> }} options */
  constructor({ app, variables }) {
    this.app = app;
    /** Where it serves HTTP, once it does. @type {string | undefined} */
    this.url = undefined;
    const main = fileURLToPath(new URL(`apps/${app}/dist/main.js`, ROOT));
    // It ends with the benchmark, however that ends.
    const program = ['--pdeathsig=TERM', process.execPath, '--max-semi-space-size=16', main];
    this.#child = spawn('setpriv', program, {
      env: { PATH: process.env.PATH, PORT: '0', OPS_PORT: '0', ...variables },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own: Ctrl-C reaches the benchmark alone, which then stops the service in order.
      detached: true,
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => this.#onLine(line));
    }
  }

  get pid() {
    return this.#child.pid ?? 0;
  }

  /** @param {AbortSignal} signal @returns {Promise<this>} @throws Error with its last lines when it does not get there */
  async untilReady(signal) {
    for (const end = Date.now() + START_MAX_MS; Date.now() < end; await sleep(POLL_MS, undefined, { signal })) {
      if (this.#hasEnded) break;
      if (await this.#isReady()) return this;
    }
    throw new Error(`The ${this.app} did not start:\n${this.#lines.join('\n')}`);
  }

  /** Stops it in order. */
  async stop() {
    if (this.#hasEnded) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MAX_MS);
    await ended;
    clearTimeout(timer);
  }

  get #hasEnded() {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  async #isReady() {
    // The line that it has started can come after the first answer that it is ready.
    if (this.#opsUrl === undefined || !this.#hasStarted) return false;
    const answer = await fetch(`${this.#opsUrl}/readyz`).catch(() => undefined);
    await answer?.body?.cancel();
    return answer?.status === 200;
  }

  /** @param {string} line */
  #onLine(line) {
    if (this.#lines.push(line) > LINES_KEPT_MAX) this.#lines.shift();
    // Most lines are of requests and jobs, and to parse them would cost the client of the benchmark.
    if (line.includes('"the operations door is open"')) this.#opsUrl = JSON.parse(line).url;
    if (!line.includes('"msg":"started"')) return;
    this.url = JSON.parse(line).url;
    this.#hasStarted = true;
  }
}
