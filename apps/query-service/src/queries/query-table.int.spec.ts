import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Principal, ResultId } from '@millrace/domain';
import { eventually, type TestTenant } from '@millrace/testing';
import { QueryServiceHarness, type QueryBody } from '../../test/query-service-harness.js';
import { makeReady } from '../../test/tables.js';

describe('the answer to a statement', () => {
  let harness: QueryServiceHarness;
  let tenant: TestTenant;
  let caller: Principal;

  beforeAll(async () => {
    harness = await QueryServiceHarness.start();
  });
  beforeEach(async () => {
    tenant = await harness.createTenant();
    caller = tenant.member.principal;
  });
  afterAll(() => harness.stop());

  const run = (body: QueryBody, { query = '', accept }: { query?: string; accept?: string } = {}): Promise<Response> =>
    harness.ask(caller, `/v1/query${query}`, {
      method: 'POST',
      body: JSON.stringify(body),
      ...(accept && { headers: { accept } }),
    });
  const sql = "SELECT i::INTEGER AS i, 'x' AS x FROM range(20000) t(i) ORDER BY i";
  const localFiles = async (): Promise<string[]> => {
    const paths = await readdir(join(harness.folder, 'engine'), { recursive: true });
    return paths.filter((path) => /outputs\/./.test(path));
  };

  it('is JSON with rows as arrays, or as objects', async () => {
    const body = { sql: "SELECT 1 AS a, 9007199254740993 AS b, 'x' AS a" };
    const arrays = await run(body);
    expect(arrays.headers.get('vary')).toBe('accept');
    await expect(arrays.json()).resolves.toMatchObject({
      columns: ['a', 'b', 'a'],
      rows: [[1, '9007199254740993', 'x']],
    });
    const objects = await run(body, { query: '?format=objects' });
    await expect(objects.json()).resolves.toMatchObject({ rows: [{ a: 1, b: '9007199254740993', a_1: 'x' }] });
  });

  it('is the whole table when that is asked for', async () => {
    const answer = await run({ sql }, { accept: 'text/csv' });
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'text/csv; charset=utf-8; header=present',
      'x-query-run-id': expect.stringMatching(/^qrun/),
      'x-result-id': expect.stringMatching(/^rslt/),
      'x-total-row-count': '20000',
      link: `</v1/results/${answer.headers.get('x-result-id')}>; rel="describedby"`,
    });
    const lines = (await answer.text()).split('\n');
    expect([lines.length, lines[0], lines[1], lines[20_000]]).toEqual([20_002, 'i,x', '0,x', '19999,x']);
    const id = answer.headers.get('x-result-id') as ResultId;
    await makeReady(harness, caller, id);
    const page = await harness.get(caller, `/v1/results/${id}?limit=1`);
    expect(page.body).toMatchObject({ status: 'ready', types: ['INTEGER', 'VARCHAR'], rows: [[0, 'x']] });
    await eventually('no local file is left', async () => (await localFiles()).length === 0);
  });

  it('has as many rows as were asked for, or is Parquet with all', async () => {
    const some = await run({ sql, limit_rows: 2 }, { query: '?format=ndjson' });
    expect(some.headers.get('x-total-row-count')).toBe('20000');
    expect(await some.text()).toBe('{"i":0,"x":"x"}\n{"i":1,"x":"x"}\n');
    const parquet = await run({ sql }, { query: '?format=parquet' });
    expect(parquet.headers.get('content-type')).toBe('application/vnd.apache.parquet');
    const bytes = Buffer.from(await parquet.arrayBuffer());
    expect([bytes.subarray(0, 4).toString(), bytes.subarray(-4).toString()]).toEqual(['PAR1', 'PAR1']);
    const cut = await run({ sql, limit_rows: 2 }, { query: '?format=parquet' });
    await expect(cut.json()).resolves.toMatchObject({
      ...{ status: 400, code: 'request.invalid' },
      errors: [{ pointer: '/limit_rows' }],
    });
  });

  it('is a problem as long as nothing was sent, and none in a format that is not there', async () => {
    const wrong = await run({ sql: 'SELECT nothing' }, { accept: 'text/csv' });
    expect(wrong.headers.get('content-type')).toContain('application/problem+json');
    await expect(wrong.json()).resolves.toMatchObject({ status: 422, code: 'column.unknown' });
    const refused = await run({ sql }, { accept: 'text/html' });
    await expect(refused.json()).resolves.toMatchObject({ status: 406, code: 'format.not_acceptable' });
    const { items } = await harness.catalog.queryRuns.list(tenant.tenantId, { limit: 10 });
    expect(items.map(({ status }) => status)).toEqual(['failed']);
  });

  it('lets go of everything when its client goes away', async () => {
    const large = 'SELECT i, md5(i::VARCHAR) AS h FROM range(1000000) t(i)';
    const gone = new AbortController();
    const answer = await harness.ask(caller, '/v1/query?format=csv', {
      method: 'POST',
      body: JSON.stringify({ sql: large }),
      signal: gone.signal,
    });
    const id = answer.headers.get('x-result-id') as ResultId;
    gone.abort();
    await makeReady(harness, caller, id);
    await eventually('no local file is left', async () => (await localFiles()).length === 0);
    expect(await harness.rows(caller, `SELECT count(*) FROM results.${id}`)).toEqual([[1_000_000]]);
  });

  it('needs a place among the downloads before it is run', async () => {
    const none = await harness.createTenant({ downloadConcurrencyMax: 0 });
    const answer = await harness.ask(none.admin.principal, '/v1/query?format=csv', {
      method: 'POST',
      body: JSON.stringify({ sql }),
    });
    await expect(answer.json()).resolves.toMatchObject({ status: 429, code: 'query.too_many' });
    expect(await harness.rows(none.admin.principal, 'SELECT 1')).toEqual([[1]]);
  });

  it('can be read again as a table, or in pages of objects', async () => {
    const { body } = await harness.query(caller, "SELECT i, 'x' AS x FROM range(3) t(i)");
    await makeReady(harness, caller, body['result_id']);
    const path = `/v1/results/${String(body['result_id'])}`;
    const page = await harness.get(caller, `${path}?format=objects&limit=2`);
    expect(page.body).toMatchObject({
      rows: [
        { i: 0, x: 'x' },
        { i: 1, x: 'x' },
      ],
      has_more: true,
    });
    expect(page.headers.get('link')).toContain('format=objects');
    const table = await harness.ask(caller, path, { headers: { accept: 'text/csv' } });
    expect(await table.text()).toBe('i,x\n0,x\n1,x\n2,x\n');
    const part = await harness.get(caller, `${path}?format=csv&limit=2`);
    expect(part.body).toMatchObject({ status: 400, code: 'request.invalid' });
  });
});

describe('the answer to a statement, when all processes for downloads are busy', () => {
  let harness: QueryServiceHarness;

  beforeAll(async () => {
    harness = await QueryServiceHarness.start({ DOWNLOAD_CHILDREN_MAX: '1' });
  });
  afterAll(() => harness.stop());

  it('is still there when its result is in the store before it', async () => {
    const { admin, tenantId } = await harness.createTenant();
    const caller = admin.principal;
    const ask = (sql: string, signal?: AbortSignal): Promise<Response> =>
      harness.ask(caller, '/v1/query?format=csv', {
        method: 'POST',
        body: JSON.stringify({ sql }),
        ...(signal && { signal }),
      });
    const gone = new AbortController();
    const slow = await ask('SELECT i, md5(i::VARCHAR) AS h FROM range(1000000) t(i)', gone.signal);
    const asked = ask('SELECT 1 AS one');
    const second = async (): Promise<ResultId | undefined> =>
      (await harness.catalog.results.list(tenantId, { limit: 2 })).items.find(({ rowCount }) => rowCount === 1)?.id;
    await eventually('its result is known', async () => (await second()) !== undefined);
    await makeReady(harness, caller, await second());
    await eventually('the local files of both results are gone', async () => {
      const paths = await readdir(join(harness.folder, 'engine'), { recursive: true });
      return !paths.some((path) => /outputs\/.*\.parquet$/.test(path));
    });
    gone.abort();
    await expect(slow.text()).rejects.toThrow();
    expect(await (await asked).text()).toBe('one\n1\n');
  });
});
