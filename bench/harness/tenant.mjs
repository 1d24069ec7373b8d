import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { MillraceClient } from '@millrace/contract';

const POLL_MS = 10;
const WAIT_MAX_S = 60;

/** Somebody with a key: what measurements do over HTTP. */
export class Tenant {
  #client;
  #files = 0;
  #tables = 0;

  /** @param {{ url: string, apiKey: string }} address */
  constructor({ url, apiKey }) {
    this.url = url;
    this.headers = { authorization: `Bearer ${apiKey}` };
    this.#client = new MillraceClient({ url, apiKey });
  }

  /**
   * Each upload has a content type of its own: otherwise a file that was a table before is no work for a converter.
   *
   * @param {string} path @param {string} [type] @returns {Promise<string>} the id of the upload
   */
  async uploadFile(path, type = 'application/octet-stream') {
    const own = `${type}; file=${(this.#files += 1)}`;
    return this.upload(createReadStream(path, { highWaterMark: 1024 * 1024 }), own);
  }

  /** @param {AsyncIterable<Uint8Array> | Iterable<Uint8Array>} body @param {string} type @returns {Promise<string>} its id */
  async upload(body, type) {
    const { text } = await send(`${this.url}/v1/files`, { ...this.headers, 'content-type': type }, body);
    return JSON.parse(text).id;
  }

  /** Has a table made of an upload and does not wait for it. @param {string} uploadId */
  async beginDataset(uploadId) {
    const label = `t${(this.#tables += 1)}`;
    await this.#client.call('dataset.create', {
      body: { label, table_name: label, source: { upload_id: uploadId } },
      headers: { prefer: 'respond-async' },
    });
  }

  /**
   * Makes a table of an upload and waits until it is ready.
   *
   * @param {{ uploadId: string, tableName?: string, format?: string }} source
   * @returns {Promise<{ id: string, row_count: number }>} the dataset
   */
  async createDataset({ uploadId, tableName = `t${(this.#tables += 1)}`, format }) {
    const { body } = await this.#client.call('dataset.create', {
      body: { label: tableName, table_name: tableName, source: { upload_id: uploadId, ...(format && { format }) } },
      headers: { prefer: `wait=${WAIT_MAX_S}` },
    });
    let dataset = body;
    for (; dataset.status === 'processing'; await sleep(POLL_MS)) {
      dataset = (await this.#client.call('dataset.get', { path: { id: dataset.id } })).body;
    }
    if (dataset.status !== 'ready') throw new Error(`No table was made: ${dataset.error?.detail}`);
    return dataset;
  }

  /**
   * Runs a statement, also when it ran before: an earlier result would be no measurement of it.
   *
   * @param {{ sql: string, params?: readonly unknown[], limit_rows?: number, reuse?: 'exact' | 'never' }} query
   * @returns {Promise<{ status: number, text: string }>} the answer as it is, not parsed
   */
  async query(query) {
    const response = await fetch(`${this.url}/v1/query`, {
      method: 'POST',
      headers: { ...this.headers, 'content-type': 'application/json' },
      body: JSON.stringify({ reuse: 'never', ...query }),
    });
    return { status: response.status, text: await response.text() };
  }

  /** Runs a statement and gives its answer. @param {Parameters<Tenant['query']>[0]} query */
  async answer(query) {
    const { status, text } = await this.query(query);
    if (status !== 200) throw new Error(`The statement failed with ${status}: ${text.slice(0, 500)}`);
    return JSON.parse(text);
  }

  /** Waits until the rows of a statement can be read as a table. @param {string} id */
  async untilReady(id) {
    for (;;) {
      const { body } = await this.#client.call('result.get', { path: { id }, query: { limit: 1 } });
      if (body.status === 'ready') return;
      if (body.status !== 'processing') throw new Error(`The result is ${body.status}: ${body.error?.detail}`);
      await sleep(POLL_MS);
    }
  }

  /**
   * Reads an answer of any size without keeping it.
   *
   * @param {string} path
   * @param {{ method?: string, headers?: Record<string, string>, body?: string }} [request]
   * @returns {Promise<{ status: number, type: string, bytes: number }>}
   */
  async drain(path, { headers, ...request } = {}) {
    const response = await fetch(this.url + path, { ...request, headers: { ...this.headers, ...headers } });
    let bytes = 0;
    for await (const chunk of response.body ?? []) bytes += chunk.byteLength;
    return { status: response.status, type: response.headers.get('content-type') ?? '', bytes };
  }

  async metrics() {
    const response = await fetch(`${this.url}/metrics`, { headers: this.headers });
    return response.text();
  }
}

/**
 * Posts bytes with as little work of the client as possible: it shares the machine with the server.
 *
 * @param {string} url
 * @param {Record<string, string>} headers
 * @param {AsyncIterable<Uint8Array> | Iterable<Uint8Array>} body
 * @returns {Promise<{ text: string }>}
 */
export async function send(url, headers, body) {
  const request = httpRequest(url, { method: 'POST', headers });
  const answered = once(request, 'response');
  answered.catch(() => undefined);
  for await (const chunk of body) {
    if (!request.write(chunk)) await Promise.race([once(request, 'drain'), answered]);
  }
  request.end();
  const [response] = await answered;
  const chunks = await Array.fromAsync(response);
  const text = Buffer.concat(chunks).toString('utf8');
  if (response.statusCode !== 201) throw new Error(`The upload failed with ${response.statusCode}: ${text}`);
  return { text };
}
