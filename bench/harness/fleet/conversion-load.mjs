import { readFile } from 'node:fs/promises';
import { fileOf } from '../data.mjs';
import { CpuSample, CpuUse } from './cpu-use.mjs';
import { jobsSince, nowOf, untilAllEnded } from './jobs.mjs';

/** More than one worker has places for jobs of one tenant. */
const TENANTS = 4;
/** What differs between two files, in a row of its own: else a store would find that it has them already. */
const ROW = (/** @type {number} */ id) => `${id},0,North,product 0,1.00,1.0,2025-01-01 00:00:00\n`;

/**
 * @typedef {object} ConversionFigures
 * @property {number} megabytesPerSecond of CSV
 * @property {readonly number[]} waitsMs of each conversion until a worker began it
 * @property {CpuUse} use
 */

/** Uploads files and has all of them converted at once. */
export class ConversionLoad {
  #fileNumber = 0;

  constructor({ fleet, tenants, bytes, signal }) {
    this.fleet = fleet;
    this.tenants = tenants;
    this.signal = signal;
    this.#head = bytes.subarray(0, bytes.indexOf('\n') + 1);
    this.#rows = bytes.subarray(this.#head.length);
  }

  #head;
  #rows;

  /**
   * @param {import('../bench.mjs').Bench} bench
   * @param {{ fleet: import('./fleet.mjs').Fleet, megabytes: number }} options
   */
  static async of(bench, { fleet, megabytes }) {
    const place = { duckdb: await bench.duckdb(), folder: bench.folder };
    const bytes = await readFile(await fileOf(place, { content: 'events', format: 'csv', megabytes }));
    return new ConversionLoad({ fleet, tenants: await fleet.newTenants(TENANTS), bytes, signal: bench.signal });
  }

  /** Of one file. */
  get bytes() {
    return this.#head.length + ROW(0).length + this.#rows.length;
  }

  /** @param {number} count files @returns {Promise<ConversionFigures>} */
  async run(count) {
    const uploads = await this.upload(count);
    const since = await nowOf(this.fleet);
    const before = await CpuSample.take();
    await this.convert(uploads);
    const use = new CpuUse(before, await CpuSample.take());
    const { seconds, waitsMs } = await jobsSince(this.fleet, { kind: 'dataset.convert', since, count });
    return { megabytesPerSecond: (count * this.bytes) / 1e6 / seconds, waitsMs, use };
  }

  /** One after the other, from all tenants in turn. @param {number} count */
  async upload(count) {
    const uploads = [];
    for (let index = 0; index < count; index += 1) {
      this.signal.throwIfAborted();
      const tenant = this.tenants[index % this.tenants.length];
      const row = Buffer.from(ROW(1_000_000_000 + (this.#fileNumber += 1)));
      uploads.push({ tenant, id: await tenant.upload([this.#head, row, this.#rows], 'text/csv') });
    }
    return uploads;
  }

  /** Until all are tables. @param {Awaited<ReturnType<ConversionLoad['upload']>>} uploads */
  async convert(uploads) {
    await Promise.all(uploads.map(({ tenant, id }) => tenant.beginDataset(id)));
    await untilAllEnded(this.fleet, this.signal);
  }
}
