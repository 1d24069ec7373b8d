import { join } from 'node:path';
import { Millrace } from './millrace.mjs';
import { RawDuckdb } from './raw-duckdb.mjs';

/** Threads of DuckDB, on both sides: what Millrace gives an engine process when nothing else is said. */
const THREADS = 2;

/** What measurements share: a folder, a server and raw DuckDB, each started when it is first asked for. */
export class Bench {
  #closers = [];
  #servers = 0;
  #millrace;
  #duckdb;

  /** @param {{ folder: string, quick: boolean, signal: AbortSignal }} options */
  constructor({ folder, quick, signal }) {
    this.folder = folder;
    this.quick = quick;
    this.signal = signal;
  }

  /** @returns {Promise<Millrace>} */
  millrace() {
    this.#millrace ??= this.newMillrace();
    return this.#millrace;
  }

  /** @returns {Promise<RawDuckdb>} */
  duckdb() {
    this.#duckdb ??= this.newDuckdb();
    return this.#duckdb;
  }

  /** A server that nothing has happened to yet. @returns {Promise<Millrace>} */
  newMillrace() {
    this.#servers += 1;
    const dataFolder = join(this.folder, `data-${this.#servers}`);
    return this.#starting(Millrace.start({ dataFolder, threads: THREADS, signal: this.signal }));
  }

  /** @returns {Promise<RawDuckdb>} */
  newDuckdb() {
    return this.#starting(RawDuckdb.start({ threads: THREADS, signal: this.signal }));
  }

  /**
   * Stops a thing at the end of everything, whatever happens.
   *
   * @template {{ stop(): Promise<void> }} T
   * @param {T} thing
   * @returns {T}
   */
  ending(thing) {
    this.#closers.push(() => thing.stop());
    return thing;
  }

  /** The server all measurements share, if one of them has started it. */
  async startedMillrace() {
    return this.#millrace;
  }

  /** What is broken off while it starts is waited for, too. */
  #starting(start) {
    this.#closers.push(async () => (await start.catch(() => undefined))?.stop());
    return start;
  }

  /** Stops everything in the reverse order, as far as it goes. */
  async close() {
    for (const close of this.#closers.reverse()) {
      await close().catch((error) => process.stderr.write(`${error.message}\n`));
    }
  }
}
