import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { MillraceClient, ProblemError } from '@millrace/contract';
import { DemoError, failed } from './errors.mjs';

const EXAMPLES = new URL('../../examples/', import.meta.url);
const WAIT_SECONDS = 60;
/** Longer than the longest wait that is asked for. */
const REQUEST_MS_MAX = 90_000;
const CONVERSION_MS_MAX = 10 * 60_000;
const PERSISTENCE_MS_MAX = 60_000;
const POLL_MS = 100;
const NAMES_TRIED_MAX = 100;
export const PAGE_ROWS = 100;

/**
 * What the demo asks of the server, each request with a time limit.
 *
 * @typedef {import('@millrace/contract').DatasetBody} Dataset
 * @typedef {import('@millrace/contract').UploadBody} Upload
 * @typedef {import('./samples.mjs').Sample} Sample
 */
export class DemoRun {
  /** Uploads that no dataset took. @type {Set<string>} */
  #uploads = new Set();
  /** @type {Set<string>} */
  #datasets = new Set();

  /** @param {{ url: string, apiKey: string, signal: AbortSignal }} options */
  constructor({ url, apiKey, signal }) {
    const client = new MillraceClient({ url, apiKey });
    /** @type {MillraceClient['call']} */
    this.call = async (name, request = {}) => {
      const signals = [request.signal ?? signal, AbortSignal.timeout(REQUEST_MS_MAX)];
      const answer = await client.call(name, { ...request, signal: AbortSignal.any(signals) });
      if (answer.status < 400) return answer;
      throw new DemoError(`${url} answers ${answer.status} without a problem: is it a Millrace server?`);
    };
    this.signal = signal;
  }

  /** Streams a sample file, with its digest. @param {Sample} sample @returns {Promise<Upload>} */
  async upload({ file, contentType, contentEncoding }) {
    const path = fileURLToPath(new URL(file, EXAMPLES));
    const { body } = await this.call('file.upload', {
      headers: {
        'content-type': contentType,
        'content-disposition': `attachment; filename="${file}"`,
        'content-digest': `sha-256=:${await sha256(path)}:`,
        ...(contentEncoding && { 'content-encoding': contentEncoding }),
      },
      body: /** @type {ReadableStream<Uint8Array>} */ (Readable.toWeb(createReadStream(path))),
    });
    this.#uploads.add(body.id);
    return body;
  }

  /**
   * Makes a table of an upload, under the name wished for or the first free one with a number.
   *
   * @param {Sample} sample
   * @param {string} uploadId
   */
  async createDataset(sample, uploadId) {
    for (let number = 1; number <= NAMES_TRIED_MAX; number += 1) {
      const tableName = number === 1 ? sample.table : `${sample.table}_${number}`;
      try {
        return await this.#createNamed(sample, uploadId, tableName);
      } catch (error) {
        if (!(error instanceof ProblemError) || error.problem.code !== 'table_name.taken') throw error;
      }
    }
    throw new DemoError(`The names ${sample.table} to ${sample.table}_${NAMES_TRIED_MAX} are all in use.`);
  }

  /** @param {Sample} sample @param {string} uploadId @param {string} tableName */
  async #createNamed(sample, uploadId, tableName) {
    const { body } = await this.call('dataset.create', {
      headers: { prefer: `wait=${WAIT_SECONDS}` },
      body: { label: sample.label, table_name: tableName, source: { upload_id: uploadId, ...sample.source } },
    });
    this.#uploads.delete(uploadId);
    this.#datasets.add(body.id);
    return this.#untilReady(body);
  }

  /** @param {Dataset} created */
  async #untilReady(created) {
    const read = async () => (await this.call('dataset.get', { path: { id: created.id } })).body;
    const dataset = await this.#settled(created, read, CONVERSION_MS_MAX);
    if (dataset.status === 'ready') return dataset;
    throw failed(`The conversion to ${dataset.table_name}`, dataset.error);
  }

  /**
   * Runs a statement; the answer has the first rows.
   *
   * @param {{ sql: string, params?: Record<string, string | number> | undefined, rows: number }} statement
   */
  async query({ sql, params, rows }) {
    const { body } = await this.call('query.run', { body: { sql, limit_rows: rows, ...(params && { params }) } });
    return body;
  }

  /** Waits until a result is stored, and so can be read again and queried. @param {string} id */
  async resultReady(id) {
    const read = async () => (await this.call('result.get', { path: { id }, query: { limit: 1 } })).body;
    const result = await this.#settled(await read(), read, PERSISTENCE_MS_MAX);
    if (result.status === 'ready') return result;
    throw failed(`Storing the result ${id}`, result.error);
  }

  /** Reads a result again, page by page. @param {string} id @param {number} rowsExpected */
  async readResult(id, rowsExpected) {
    let rows = 0;
    let pages = 0;
    /** @type {string | null | undefined} */
    let cursor;
    do {
      const query = { limit: PAGE_ROWS, ...(cursor && { cursor }) };
      const { body } = await this.call('result.get', { path: { id }, query });
      rows += body.rows?.length ?? 0;
      pages += 1;
      cursor = body.next_cursor;
    } while (cursor && rows <= rowsExpected);
    if (rows === rowsExpected) return { rows, pages };
    throw new DemoError(`The result ${id} has ${rowsExpected} rows, but its pages hold ${rows}.`);
  }

  /** Deletes what this run made and is still there; an interruption does not stop it. */
  async cleanUp() {
    const signal = AbortSignal.timeout(REQUEST_MS_MAX);
    for (const id of this.#uploads) {
      await this.call('file.delete', { path: { id }, signal });
      this.#uploads.delete(id);
    }
    for (const id of this.#datasets) {
      await this.call('dataset.delete', { path: { id }, signal });
      this.#datasets.delete(id);
    }
  }

  /**
   * Asks until something is no longer `processing`.
   *
   * @template {{ status: string }} T
   * @param {T} first
   * @param {() => Promise<T>} read
   * @param {number} msMax
   */
  async #settled(first, read, msMax) {
    const deadline = performance.now() + msMax;
    let current = first;
    while (current.status === 'processing') {
      if (performance.now() > deadline) throw new DemoError(`Still processing after ${msMax / 1000} seconds.`);
      await sleep(POLL_MS, undefined, { signal: this.signal });
      current = await read();
    }
    return current;
  }
}

/** @param {string} path */
async function sha256(path) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('base64');
}
