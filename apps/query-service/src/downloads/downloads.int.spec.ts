import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { CONTEXT_HEADER, signContext } from '@millrace/auth';
import type { Dataset } from '@millrace/catalog';
import { newId, type Principal, type TenantId } from '@millrace/domain';
import { eventually, pinCount, type TestTenant } from '@millrace/testing';
import { INTERNAL_SECRET, QueryServiceHarness } from '../../test/query-service-harness.js';
import { createTable, makeReady } from '../../test/tables.js';

const PARQUET = 'application/vnd.apache.parquet';
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('base64');

describe('downloads', () => {
  let harness: QueryServiceHarness;
  let tenant: TestTenant;
  let caller: Principal;
  let table: Dataset;

  beforeAll(async () => {
    harness = await QueryServiceHarness.start();
  });
  beforeEach(async () => {
    tenant = await harness.createTenant();
    caller = tenant.member.principal;
    table = await createTable(harness, caller, {
      sql: "SELECT i::INTEGER AS i, 'n' || i AS name, i::HUGEINT AS big FROM range(3) t(i)",
      name: 'numbers',
    });
  });
  afterAll(() => harness.stop());

  const pathOf = (id: string, query = ''): string => `/v1/datasets/${id}/download${query}`;
  const bytesOf = async (answer: Response): Promise<Uint8Array> => new Uint8Array(await answer.arrayBuffer());
  const download = (query = '', headers: Record<string, string> = {}, method = 'GET'): Promise<Response> =>
    harness.ask(caller, pathOf(table.id, query), { method, headers });
  const problemOf = async (answer: Response): Promise<unknown> => answer.json();
  const nothingIsHeld = (tenantId: TenantId): Promise<unknown> =>
    eventually('nothing is pinned', async () => (await pinCount(harness.catalog, tenantId)) === 0);

  it('are the stored Parquet, with what tells it apart', async () => {
    const answer = await download();
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, PARQUET]);
    const bytes = await bytesOf(answer);
    expect(Buffer.from(bytes.subarray(0, 4)).toString()).toBe('PAR1');
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-length': String(bytes.length),
      'accept-ranges': 'bytes',
      'content-disposition': 'attachment; filename=numbers.parquet',
      vary: 'accept',
      'cache-control': 'private, no-cache',
      'repr-digest': `sha-256=:${sha256(bytes)}:`,
      etag: `"${Buffer.from(sha256(bytes), 'base64').toString('hex')}"`,
    });
    await nothingIsHeld(tenant.tenantId);
  });

  it.each([
    ['csv', 'text/csv; charset=utf-8; header=present', 'i,name,big\n0,n0,0\n1,n1,1\n2,n2,2\n'],
    ['ndjson', 'application/x-ndjson; charset=utf-8', '{"i":0,"name":"n0","big":0}\n{"i":1,"name":"n1","big":1}\n{"i":2,"name":"n2","big":2}\n'], // prettier-ignore
  ])('are made while they are sent: %s', async (format, type, text) => {
    for (const answer of [
      await download(`?format=${format}`),
      await download('', { accept: type.split(';')[0] ?? '' }),
    ]) {
      expect(answer.status).toBe(200);
      expect(Object.fromEntries(answer.headers)).toMatchObject({
        'content-type': type,
        'accept-ranges': 'none',
        'content-disposition': `attachment; filename=numbers.${format}`,
        etag: expect.stringMatching(/^"[\da-f]{64}"$/),
      });
      expect(await answer.text()).toBe(text);
    }
    await nothingIsHeld(tenant.tenantId);
  });

  it('are JSON, too', async () => {
    const answer = await download('?format=json', { accept: 'text/html' });
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    await expect(answer.json()).resolves.toEqual([0, 1, 2].map((i) => ({ i, name: `n${i}`, big: i })));
  });

  it('are refused in formats that are not there', async () => {
    const answer = await download('', { accept: 'text/html' });
    expect(answer.headers.get('vary')).toBe('accept');
    expect(await problemOf(answer)).toMatchObject({
      ...{ status: 406, code: 'format.not_acceptable' },
      detail: expect.stringContaining(PARQUET),
    });
    const unknown = await problemOf(await download('?format=xlsx'));
    expect(unknown).toMatchObject({ status: 400, code: 'request.invalid', detail: expect.stringContaining('parquet') });
  });

  it('tell by HEAD what they would be', async () => {
    const [head, whole] = [await download('', {}, 'HEAD'), await download()];
    const bytes = await bytesOf(whole);
    const told = ({ headers }: Response) =>
      ['content-type', 'content-length', 'etag', 'accept-ranges', 'repr-digest'].map((name) => headers.get(name));
    expect(head.status).toBe(200);
    expect(told(head)).toEqual(told(whole));
    expect(head.headers.get('content-length')).toBe(String(bytes.length));
    const csv = await download('?format=csv', {}, 'HEAD');
    expect([csv.status, csv.headers.get('content-type')]).toEqual([200, 'text/csv; charset=utf-8; header=present']);
    expect(await csv.text()).toBe('');
  });

  it.each(['parquet', 'csv'])('are not sent again to who has them: %s', async (format) => {
    const tag = (await download(`?format=${format}`)).headers.get('etag') ?? '';
    const again = await download(`?format=${format}`, { 'if-none-match': `"other", ${tag}` });
    expect([again.status, again.headers.get('etag'), await again.text()]).toEqual([304, tag, '']);
    expect([again.headers.get('vary'), again.headers.get('cache-control')]).toEqual(['accept', 'private, no-cache']);
    const other = await download(`?format=${format}`, { 'if-none-match': '"other"' });
    expect(other.status).toBe(200);
    await other.arrayBuffer();
  });

  it('come in ranges that are the whole together', async () => {
    const whole = await bytesOf(await download());
    const parts: Uint8Array[] = [];
    for (let start = 0; start < whole.length; start += 300) {
      const answer = await download('', { range: `bytes=${start}-${start + 299}` });
      const end = Math.min(start + 299, whole.length - 1);
      expect([answer.status, answer.headers.get('content-range')]).toEqual([
        206,
        `bytes ${start}-${end}/${whole.length}`,
      ]);
      expect(answer.headers.get('content-length')).toBe(String(end - start + 1));
      parts.push(await bytesOf(answer));
    }
    expect(sha256(Buffer.concat(parts))).toBe(sha256(whole));
    const tail = await bytesOf(await download('', { range: 'bytes=-8' }));
    expect(Buffer.from(tail)).toEqual(Buffer.from(whole.subarray(-8)));
  });

  it('do not mix ranges of different bytes', async () => {
    const tag = (await download('', {}, 'HEAD')).headers.get('etag') ?? '';
    const range = 'bytes=0-3';
    const statusWith = async (ifRange: string): Promise<number> => {
      const answer = await download('', { range, 'if-range': ifRange });
      await answer.arrayBuffer();
      return answer.status;
    };
    expect(await Promise.all([tag, '"stale"', `W/${tag}`].map(statusWith))).toEqual([206, 200, 200]);
  });

  it('know no range behind the end, and no several', async () => {
    const whole = await bytesOf(await download());
    const behind = await download('', { range: `bytes=${whole.length}-` });
    expect(behind.headers.get('content-range')).toBe(`bytes */${whole.length}`);
    expect(await problemOf(behind)).toMatchObject({ status: 416, code: 'range.not_satisfiable' });
    const several = await download('', { range: 'bytes=0-1,5-6' });
    expect([several.status, (await bytesOf(several)).length]).toEqual([200, whole.length]);
    const text = await download('?format=csv', { range: 'bytes=0-1' });
    expect([text.status, await text.text()]).toEqual([200, expect.stringMatching(/^i,name,big\n/)]);
  });

  it.each(['error', 'end'] as const)('break off when the store does, with an %s', async (how) => {
    const big = await createTable(harness, caller, { sql: 'SELECT i, md5(i::VARCHAR) AS h FROM range(100000) t(i)' });
    harness.store.cutBytes({ afterBytes: 600_000, how });
    const answer = await harness.ask(caller, pathOf(big.id));
    expect(answer.status).toBe(200);
    await expect(answer.arrayBuffer()).rejects.toThrow();
    harness.store.heal();
    await nothingIsHeld(tenant.tenantId);
  });

  it('say that the store is away as long as nothing was sent', async () => {
    harness.store.fail('get');
    const answer = await download();
    harness.store.heal();
    expect(await problemOf(answer)).toMatchObject({ status: 503, code: 'storage.unavailable' });
    await nothingIsHeld(tenant.tenantId);
  });

  /** A download of which the client has read nothing but the head. */
  const openSlowly = async (id: string, query: string): Promise<IncomingMessage> => {
    const asked = request(harness.url + pathOf(id, query), {
      headers: { [CONTEXT_HEADER]: signContext(caller, INTERNAL_SECRET) },
    }).end();
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    answer.on('error', () => undefined);
    return answer;
  };

  it.each(['parquet', 'csv'])('let go of everything when the client goes away: %s', async (format) => {
    const big = await createTable(harness, caller, { sql: 'SELECT i, md5(i::VARCHAR) AS h FROM range(1000000) t(i)' });
    const answer = await openSlowly(big.id, `?format=${format}`);
    expect(await pinCount(harness.catalog, tenant.tenantId)).toBe(1);
    answer.destroy();
    await nothingIsHeld(tenant.tenantId);
  });

  it('keep neither statements nor other downloads of the tenant waiting, and are bounded', async () => {
    const big = await createTable(harness, caller, { sql: 'SELECT i, md5(i::VARCHAR) AS h FROM range(1000000) t(i)' });
    const slow = [await openSlowly(big.id, '?format=csv')];
    for (let n = 1; n < 8; n += 1) slow.push(await openSlowly(big.id, '?format=parquet'));
    expect(await harness.rows(caller, 'SELECT 42 AS answer')).toEqual([[42]]);
    expect(await problemOf(await download())).toMatchObject({ status: 429, code: 'query.too_many' });
    const other = await harness.createTenant();
    const theirs = await createTable(harness, other.member.principal, { sql: 'SELECT 1 AS one' });
    const answer = await harness.ask(other.member.principal, pathOf(theirs.id, '?format=csv'));
    expect(await answer.text()).toBe('one\n1\n');
    for (const each of slow) each.destroy();
    await nothingIsHeld(tenant.tenantId);
    await eventually('there is a place again', async () => (await download('', {}, 'GET')).status === 200);
  });

  it('are nothing for other tenants, and none of what is not there', async () => {
    const stranger = (await harness.createTenant()).admin.principal;
    for (const id of [table.id, newId('dataset')]) {
      const answer = await harness.ask(stranger, pathOf(id));
      expect(await problemOf(answer)).toMatchObject({ status: 404, code: 'dataset.not_found' });
    }
  });

  describe('of a result', () => {
    const ask = (id: unknown, query = ''): Promise<Response> =>
      harness.ask(caller, `/v1/results/${String(id)}/download${query}`);
    const run = async (sql: string): Promise<unknown> => (await harness.query(caller, sql)).body['result_id'];

    it('wait until it is stored', async () => {
      const id = await run('SELECT 1 AS one');
      const early = await ask(id);
      expect(early.headers.get('retry-after')).not.toBeNull();
      expect(await problemOf(early)).toMatchObject({ status: 409, code: 'result.pending', retryable: true });
      await makeReady(harness, caller, id);
      const answer = await ask(id, '?format=csv');
      expect(answer.headers.get('content-disposition')).toBe(`attachment; filename=${String(id)}.csv`);
      expect(await answer.text()).toBe('one\n1\n');
      expect(Buffer.from((await bytesOf(await ask(id))).subarray(0, 4)).toString()).toBe('PAR1');
    });

    it('are refused once it has expired, failed or was deleted', async () => {
      const ready = async (sql: string): Promise<unknown> => (await makeReady(harness, caller, await run(sql))).id;
      const [expired, failed, deleted] = [await ready('SELECT 1'), await ready('SELECT 2'), await ready('SELECT 3')];
      const { tenantId } = tenant;
      await harness.expireNow(tenantId, String(expired));
      await harness.catalog.results.markFileMissing({ tenantId, id: failed as never });
      await harness.catalog.resultLifetimes.delete(tenantId, deleted as never);
      expect(await problemOf(await ask(expired))).toMatchObject({ status: 410, code: 'result.expired' });
      expect(await problemOf(await ask(failed))).toMatchObject({ status: 409, code: 'result.failed' });
      expect(await problemOf(await ask(deleted))).toMatchObject({ status: 404, code: 'result.not_found' });
    });

    it.each(['parquet', 'csv'])('notice that its file has vanished: %s', async (format) => {
      const id = await run(`SELECT '${format}' AS vanished`);
      const { storageKey } = await makeReady(harness, caller, id);
      await harness.store.delete(storageKey ?? '');
      expect(await problemOf(await ask(id, `?format=${format}`))).toMatchObject({ status: 409, code: 'result.failed' });
      await nothingIsHeld(tenant.tenantId);
    });

    it('go on when it is deleted meanwhile', async () => {
      const id = await run('SELECT i, md5(i::VARCHAR) AS h FROM range(1000000) t(i)');
      const { storageKey, contentHash } = await makeReady(harness, caller, id);
      const asked = request(`${harness.url}/v1/results/${String(id)}/download`, {
        headers: { [CONTEXT_HEADER]: signContext(caller, INTERNAL_SECRET) },
      }).end();
      const [answer] = (await once(asked, 'response')) as [IncomingMessage];
      await harness.catalog.resultLifetimes.delete(tenant.tenantId, id as never);
      const due = async (): Promise<string[]> =>
        (await harness.catalog.blobs.takeDue({ limit: 1_000 })).map((blob) => blob.storageKey);
      expect(await due()).not.toContain(storageKey);
      const hash = createHash('sha256');
      for await (const chunk of answer) hash.update(chunk as Uint8Array);
      expect(hash.digest('hex')).toBe(contentHash);
      await nothingIsHeld(tenant.tenantId);
      expect(await due()).toContain(storageKey);
    });

    it('are for who ran the query, and for admins', async () => {
      const path = `/v1/results/${String(await run('SELECT 1 AS one'))}/download?format=csv`;
      await makeReady(harness, caller, path.split('/')[3]);
      const answer = await harness.ask(tenant.admin.principal, path);
      expect(await answer.text()).toBe('one\n1\n');
      const theirs = await harness.query(tenant.admin.principal, 'SELECT 2');
      const stranger = (await harness.createTenant()).admin.principal;
      for (const [by, of] of [
        [caller, `/v1/results/${String(theirs.body['result_id'])}/download`],
        [stranger, path],
      ] as const) {
        // As little does a condition or a range tell whether there is one.
        for (const [name, value] of [
          ['accept', '*/*'],
          ['if-none-match', '*'],
          ['range', 'bytes=999999-'],
        ] as const) {
          const refused = await harness.ask(by, of, { headers: { [name]: value } });
          expect(await problemOf(refused)).toMatchObject({ status: 404, code: 'result.not_found' });
        }
      }
    });
  });
});
