import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('raw-duckdb-program.mjs', import.meta.url));

/** DuckDB in a process of its own, on one warm connection. One request at a time. */
export class RawDuckdb {
  #child;

  /** @param {import('node:child_process').ChildProcess} child */
  constructor(child) {
    this.#child = child;
  }

  /** @param {{ threads: number, signal: AbortSignal }} options */
  static async start({ threads, signal }) {
    const child = fork(PROGRAM, [String(threads)]);
    const raw = new RawDuckdb(child);
    try {
      await once(child, 'message', { signal });
      return raw;
    } catch (error) {
      await raw.stop();
      throw error;
    }
  }

  get pid() {
    return this.#child.pid ?? 0;
  }

  /** Runs one statement or several. @param {string} sql @returns {Promise<number>} seconds */
  async run(sql) {
    return (await this.#ask({ operation: 'run', sql })).ms / 1_000;
  }

  /** Makes JSON text of all rows. @param {string} sql @param {readonly unknown[]} [params] @returns {Promise<number>} ms */
  async rowsMs(sql, params = []) {
    return (await this.#ask({ operation: 'rows', sql, params })).ms;
  }

  /** Reads all rows and makes nothing of them. @param {string} sql @returns {Promise<number>} seconds */
  async readAll(sql) {
    return (await this.#ask({ operation: 'chunks', sql })).ms / 1_000;
  }

  /**
   * Statements per second of clients with a connection each.
   *
   * @param {{ sql: string, params: readonly unknown[], clients: number, durationMs: number }} load
   */
  async load(load) {
    const { ms, value } = await this.#ask({ operation: 'load', ...load });
    return value / (ms / 1_000);
  }

  async stop() {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }

  async #ask(request) {
    const ended = new AbortController();
    const answer = once(this.#child, 'message', { signal: ended.signal });
    const end = once(this.#child, 'exit', { signal: ended.signal }).then(() => {
      throw new Error('The process with raw DuckDB ended.');
    });
    this.#child.send(request);
    try {
      const [message] = await Promise.race([answer, end]);
      if (message.error) throw new Error(`Raw DuckDB: ${message.error}`);
      return message;
    } finally {
      ended.abort();
      for (const promise of [answer, end]) promise.catch(() => undefined);
    }
  }
}
