import { setTimeout as sleep } from 'node:timers/promises';
import { fileOf } from '../data.mjs';
import { CpuSample, CpuUse } from './cpu-use.mjs';
import { untilAllEnded } from './jobs.mjs';

const TENANTS = 4;
const CLIENTS = 8;
const ROWS = 100_000;
const SQL = 'SELECT * FROM datasets.lookups WHERE id = $1';
/** How long a client that was refused waits before it asks again. */
const REFUSED_WAIT_MS = 20;

/**
 * @typedef {object} StatementFigures
 * @property {number} perSecond
 * @property {number} answered
 * @property {number} refused with 429
 * @property {readonly number[]} waitsMs of each answer
 * @property {CpuUse} use
 */

/** Clients of several tenants that ask one statement after the other. */
export class StatementLoad {
  #statementNumber = 0;

  /** @param {{ fleet: import('./fleet.mjs').Fleet, tenants: readonly import('../tenant.mjs').Tenant[], signal: AbortSignal }} parts */
  constructor({ fleet, tenants, signal }) {
    this.fleet = fleet;
    this.tenants = tenants;
    this.signal = signal;
  }

  /** @param {import('../bench.mjs').Bench} bench @param {import('./fleet.mjs').Fleet} fleet */
  static async of(bench, fleet) {
    const place = { duckdb: await bench.duckdb(), folder: bench.folder };
    const path = await fileOf(place, { content: 'events', format: 'parquet', rows: ROWS });
    const tenants = await fleet.newTenants(TENANTS);
    for (const tenant of tenants) {
      await tenant.createDataset({ uploadId: await tenant.uploadFile(path), tableName: 'lookups' });
    }
    return new StatementLoad({ fleet, tenants, signal: bench.signal });
  }

  /** @param {number} each statements of each client: so many that all have engine processes and tables */
  async warmUp(each) {
    await this.#clients(({ asked }) => asked < each);
    await untilAllEnded(this.fleet, this.signal);
  }

  /** Waits until all results are kept, which is not part of the figures. @param {number} durationMs @returns {Promise<StatementFigures>} */
  async run(durationMs) {
    const before = await CpuSample.take();
    const startedAt = performance.now();
    const clients = await this.#clients(() => performance.now() - startedAt < durationMs);
    const seconds = (performance.now() - startedAt) / 1_000;
    await untilAllEnded(this.fleet, this.signal);
    const use = new CpuUse(before, await CpuSample.take());
    const waitsMs = clients.flatMap((client) => client.waitsMs);
    const refused = clients.reduce((sum, client) => sum + client.refused, 0);
    return { perSecond: waitsMs.length / seconds, answered: waitsMs.length, refused, waitsMs, use };
  }

  /** @param {(client: { asked: number }) => boolean} goesOn */
  async #clients(goesOn) {
    return Promise.all(Array.from({ length: CLIENTS }, (_, index) => this.#client(index, goesOn)));
  }

  /** Each statement has a row of its own: what is equal is stored once. */
  async #client(index, goesOn) {
    const tenant = this.tenants[index % this.tenants.length];
    const waitsMs = [];
    let refused = 0;
    while (goesOn({ asked: waitsMs.length })) {
      this.signal.throwIfAborted();
      const askedAt = performance.now();
      const { status, text } = await tenant.query({ sql: SQL, params: [(this.#statementNumber += 1) % ROWS] });
      if (status === 200) waitsMs.push(performance.now() - askedAt);
      else if (status === 429) {
        refused += 1;
        await sleep(REFUSED_WAIT_MS);
      } else throw new Error(`A statement failed with ${status}: ${text.slice(0, 500)}`);
    }
    return { waitsMs, refused };
  }
}
