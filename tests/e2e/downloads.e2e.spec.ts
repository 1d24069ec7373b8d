import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, pinCount } from '@millrace/testing';
import { Analyst } from './harness/analyst.js';
import { startMillrace, type MillraceUnderTest, type TenantUnderTest } from './harness/millrace.js';
import { problemOf } from './harness/problems.js';

const ROWS = 1_000_000;
/** What a service may hold more than before, however large the table is. */
const MEMORY_BYTES_MAX = 64 * 1024 ** 2;

describe('a download', () => {
  let millrace: MillraceUnderTest;
  let tenant: TenantUnderTest;
  let analyst: Analyst;
  /** A result of a million rows. */
  let large: string;

  beforeAll(async () => {
    millrace = await startMillrace();
    tenant = await millrace.newTenant();
    analyst = new Analyst(tenant.asAdmin);
    large = await analyst.keep(`SELECT i, md5(i::VARCHAR) AS h FROM range(${ROWS}) t(i)`);
  });
  afterAll(() => millrace.stop());

  const open = (id: string, format: 'parquet' | 'csv' | 'ndjson', headers: Record<string, string> = {}) =>
    tenant.asAdmin.open('result.download', { path: { id }, query: { format }, headers });
  const nothingIsHeld = (): Promise<unknown> =>
    eventually('nothing is pinned', async () => (await pinCount(millrace.catalog, tenant.tenantId)) === 0);
  /** A download whose client has read nothing but the head. */
  async function openSlowly(format: string): Promise<IncomingMessage> {
    const asked = request(`${millrace.url}/v1/results/${large}/download?format=${format}`, {
      headers: { authorization: `Bearer ${tenant.admin.apiKey}` },
    }).end();
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    answer.on('error', () => undefined);
    return answer;
  }

  it('has all rows, and takes no more memory for more of them', async () => {
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    const counted = { csv: 0, ndjson: 0 };
    for (const format of ['csv', 'ndjson'] as const) {
      const { body } = await open(large, format);
      for await (const chunk of body ?? []) {
        for (const byte of chunk) if (byte === 10) counted[format] += 1;
        most = Math.max(most, process.memoryUsage().arrayBuffers - before);
      }
    }
    expect(counted).toEqual({ csv: ROWS + 1, ndjson: ROWS });
    expect(most).toBeLessThan(MEMORY_BYTES_MAX);
  });

  it('is put together from ranges to the bytes that its digest names', async () => {
    const head = await fetch(`${millrace.url}/v1/results/${large}/download`, {
      method: 'HEAD',
      headers: { authorization: `Bearer ${tenant.admin.apiKey}` },
    });
    const sizeBytes = Number(head.headers.get('content-length'));
    expect(head.status).toBe(200);
    const hash = createHash('sha256');
    const partBytes = Math.ceil(sizeBytes / 5);
    for (let start = 0; start < sizeBytes; start += partBytes) {
      const ifRange = head.headers.get('etag') ?? '';
      const part = await open(large, 'parquet', {
        range: `bytes=${start}-${start + partBytes - 1}`,
        'if-range': ifRange,
      });
      expect(part.status).toBe(206);
      hash.update(new Uint8Array(await part.arrayBuffer()));
    }
    expect(`sha-256=:${hash.digest('base64')}:`).toBe(head.headers.get('repr-digest'));
    const stale = await open(large, 'parquet', { range: 'bytes=0-3', 'if-range': '"stale"' });
    expect([stale.status, (await stale.arrayBuffer()).byteLength]).toEqual([200, sizeBytes]);
    const again = await open(large, 'parquet', { 'if-none-match': head.headers.get('etag') ?? '' });
    expect([again.status, await again.text()]).toEqual([304, '']);
  });

  it('breaks the connection when the store fails on the way', async () => {
    millrace.store.cutBytes({ afterBytes: 1_000_000 });
    const answer = await open(large, 'parquet');
    expect(answer.status).toBe(200);
    await expect(answer.arrayBuffer()).rejects.toThrow();
    millrace.store.heal();
    await nothingIsHeld();
  });

  it('lets go of everything when the client goes away', async () => {
    for (const format of ['parquet', 'csv']) {
      const answer = await openSlowly(format);
      expect(await pinCount(millrace.catalog, tenant.tenantId)).toBe(1);
      answer.destroy();
      await nothingIsHeld();
    }
  });

  it('keeps no statement waiting, however slowly it is read', async () => {
    const slow: IncomingMessage[] = [];
    for (const format of ['csv', 'csv', ...Array.from({ length: 6 }, () => 'parquet')])
      slow.push(await openSlowly(format));
    await expect(analyst.rows('SELECT 42')).resolves.toEqual([[42]]);
    await expect(problemOf(open(large, 'csv'))).resolves.toMatchObject({ status: 429, code: 'query.too_many' });
    const other = new Analyst((await millrace.newTenant()).asAdmin);
    const csv = await other.client.open('query.run', { query: { format: 'csv' }, body: { sql: 'SELECT 1 AS one' } });
    expect(await csv.text()).toBe('one\n1\n');
    for (const answer of slow) answer.destroy();
    await nothingIsHeld();
  });

  it('is an answer to a statement, too, and the result is kept as always', async () => {
    const answer = await tenant.asAdmin.open('query.run', {
      headers: { accept: 'application/x-ndjson, */*;q=0.1' },
      body: { sql: "SELECT 9007199254740993 AS big, 'é' AS e" },
    });
    expect(answer.headers.get('content-type')).toBe('application/x-ndjson; charset=utf-8');
    expect(await answer.text()).toBe('{"big":"9007199254740993","e":"é"}\n');
    const id = answer.headers.get('x-result-id') ?? '';
    await eventually('the result is ready', async () => {
      const { body } = await tenant.asAdmin.call('result.get', { path: { id } });
      return body.status === 'ready' && body.types?.[0] === 'BIGINT';
    });
    const { body: run } = await tenant.asAdmin.call('query.get', {
      path: { id: answer.headers.get('x-query-run-id') ?? '' },
    });
    expect(run).toMatchObject({ status: 'succeeded', result_id: id });
  });

  it('is nothing to other tenants', async () => {
    const stranger = (await millrace.newTenant()).asAdmin;
    const asked = stranger.open('result.download', { path: { id: large } });
    await expect(problemOf(asked)).resolves.toMatchObject({ status: 404, code: 'result.not_found' });
    const other = tenant.asMember.open('result.download', { path: { id: large } });
    await expect(problemOf(other)).resolves.toMatchObject({ status: 404, code: 'result.not_found' });
  });
});
