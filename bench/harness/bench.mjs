import { join } from 'node:path';
import { LocalPostgres } from '@millrace/catalog/local-postgres';
import { Fleet } from './fleet/fleet.mjs';
import { Millrace } from './millrace.mjs';
import { RawDuckdb } from './raw-duckdb.mjs';

/** Threads of DuckDB, on both sides: what Millrace gives an engine process when nothing else is said. */
const THREADS = 2;

/** Of the Postgres of fleets: a dozen processes with their pools. */
const FLEET_CONNECTIONS_MAX = 400;

/** What measurements share: a folder, a server and raw DuckDB, each started when it is first asked for. */
export class Bench {
  #closers = [];
  #servers = 0;
  #millrace;
  #duckdb;
  #postgres;

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

  /**
   * Services as processes of their own, on a database of their own.
   *
   * @param {Pick<import('./fleet/fleet.mjs').Ground, 'queue' | 'store' | 'isWatched'>} ground
   * @returns {Promise<Fleet>}
   */
  newFleet(ground) {
    return this.#starting(this.#startFleet(ground));
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

  async #startFleet(ground) {
    this.#servers += 1;
    const name = `fleet_${this.#servers}`;
    const databaseUrl = await (await this.#sharedPostgres()).ensureDatabase(name);
    return Fleet.start({ ...ground, databaseUrl, dataFolder: join(this.folder, name), signal: this.signal });
  }

  /** One server for all fleets, with the settings of an installation: commits wait for the disk. */
  #sharedPostgres() {
    const settings = [`max_connections=${FLEET_CONNECTIONS_MAX}`];
    this.#postgres ??= this.#starting(LocalPostgres.start({ folder: join(this.folder, 'postgres'), settings }));
    return this.#postgres;
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
