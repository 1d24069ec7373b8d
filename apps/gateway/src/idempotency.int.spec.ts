import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Dataset } from '@millrace/catalog';
import type { DatasetBody } from '@millrace/contract';
import { createTenant, eventually, RawConnection, type TestTenant } from '@millrace/testing';
import { FakeQueryService } from '../test/fake-query-service.js';
import { startTestGateway, type GatewayUnderTest } from '../test/gateway-harness.js';

const AT_ONCE = { prefer: 'respond-async' };
const PATIENT = { prefer: 'wait=60' };

describe('a request that carries an Idempotency-Key', () => {
  let gateway: GatewayUnderTest;
  let queryService: FakeQueryService;
  let tenant: TestTenant;
  let key: string;
  const answerAtOnce = (response: ServerResponse) => void response.end('{"rows":[]}');

  beforeAll(async () => {
    queryService = await FakeQueryService.start();
    gateway = await startTestGateway({}, queryService.url);
  });
  beforeEach(async () => {
    tenant = await createTenant(gateway.catalog);
    key = randomUUID();
    queryService.answer = answerAtOnce;
    queryService.requests.length = 0;
  });
  afterAll(async () => {
    await gateway.stop();
    await queryService.stop();
  });

  const inline = (label = 'A', content = 'a\n1') => ({ label, source: { inline: { format: 'csv', content } } });
  const post = (path: string, json: unknown, headers: Record<string, string> = {}, apiKey = tenant.admin.apiKey) =>
    gateway.send('POST', path, { json, headers: { 'idempotency-key': key, ...headers }, apiKey });
  const headersOf = (more: Record<string, string>) => ({
    ...{ authorization: `Bearer ${tenant.admin.apiKey}`, 'content-type': 'application/json' },
    ...{ 'idempotency-key': key, ...more },
  });
  const create = (json: unknown = inline(), headers: Record<string, string> = AT_ONCE) =>
    post('/v1/datasets', json, headers);
  const ask = (json: unknown = { sql: 'SELECT 1' }, headers?: Record<string, string>) =>
    post('/v1/query', json, headers);
  const datasets = async () => (await gateway.catalog.datasets.list(tenant.tenantId, { limit: 10 })).items;
  const codeOf = async (answer: Response) => ((await answer.json()) as { code: string }).code;
  const authorized = () => [`Authorization: Bearer ${tenant.admin.apiKey}`, `Idempotency-Key: ${key}`];
  /** Begins a request that a test breaks off. */
  const begin = async (path: string, json: unknown, headers: readonly string[] = []): Promise<RawConnection> => {
    const connection = await RawConnection.open(gateway.url);
    const body = JSON.stringify(json);
    const about = ['Accept: */*', 'Content-Type: application/json', `Content-Length: ${body.length}`];
    connection.request(`POST ${path}`, [...authorized(), ...about, ...headers], body);
    return connection;
  };
  const inCatalog = <T>(sql: string) =>
    gateway.catalog.transaction<T[]>((transaction) => transaction.query(sql, [tenant.tenantId]));
  const keyRow = async () => {
    const rows = await inCatalog<{ claimId: string; isFree: boolean }>(
      'SELECT claim_id AS "claimId", lease_until <= now() AS "isFree" FROM idempotency_keys WHERE tenant_id = $1',
    );
    return rows[0];
  };
  /** No worker is there that could convert: this ends the waiting. */
  const cancel = async (dataset: Dataset | undefined) => {
    if (!dataset?.jobId) throw new Error('there is no job');
    await gateway.catalog.jobs.requestCancel(tenant.tenantId, dataset.jobId);
  };

  it('is done once, and its answer given again with what its headers say', async () => {
    const first = await create();
    const again = await create();
    expect([first.status, again.status]).toEqual([202, 202]);
    expect(await again.text()).toBe(await first.text());
    for (const name of ['location', 'content-type', 'retry-after', 'preference-applied']) {
      expect([name, again.headers.get(name)]).toEqual([name, first.headers.get(name)]);
    }
    expect([first, again].map(({ headers }) => headers.get('idempotency-replayed'))).toEqual([null, 'true']);
    expect(again.headers.get('x-request-id')).not.toBe(first.headers.get('x-request-id'));
    expect(await datasets()).toHaveLength(1);
  });

  it('is done once when it comes ten times at once', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => create()));
    const statuses = new Set(answers.map(({ status }) => status));
    expect([...statuses].every((status) => status === 202 || status === 409)).toBe(true);
    expect(await datasets()).toHaveLength(1);
    expect((await create()).status).toBe(202);
  });

  it('is refused again as it was, and not looked at', async () => {
    const first = await create(inline(' '));
    const again = await create(inline(' '));
    expect([first.status, again.status]).toEqual([400, 400]);
    expect(again.headers.get('content-type')).toContain('application/problem+json');
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect(await again.text()).toBe(await first.text());
  });

  it.each<[string, () => Promise<Response>]>([
    ['another body', () => ask({ sql: 'SELECT 2' })],
    ['another query', () => post('/v1/query?format=csv', { sql: 'SELECT 1' })],
    ['another preference', () => ask(undefined, AT_ONCE)],
    ['another form of answer', () => ask(undefined, { accept: 'text/csv' })],
  ])('is refused with %s: the key was used for something else', async (_, other) => {
    await ask();
    const answer = await other();
    expect([answer.status, await codeOf(answer)]).toEqual([422, 'idempotency.key_reused']);
    expect(answer.headers.get('idempotency-replayed')).toBeNull();
    expect(queryService.requests).toHaveLength(1);
  });

  it('has a key of its own: of its user, its tenant and its path', async () => {
    await create();
    const other = await createTenant(gateway.catalog);
    const answers = await Promise.all([
      post('/v1/datasets', inline('B'), AT_ONCE, tenant.member.apiKey),
      post('/v1/datasets', inline('C'), AT_ONCE, other.admin.apiKey),
      ask(),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 200]);
    expect(answers.map(({ headers }) => headers.get('idempotency-replayed'))).toEqual([null, null, null]);
  });

  it('waits for nobody: while the first is under way, it is told to come again', async () => {
    const held: ServerResponse[] = [];
    queryService.answer = (response) => void held.push(response);
    const first = ask();
    await eventually('the first is under way', () => held.length === 1);
    const [same, other] = [await ask(), await ask({ sql: 'SELECT 2' })];
    expect([same.status, same.headers.get('retry-after')]).toEqual([409, expect.stringMatching(/^[1-9]/)]);
    expect(await codeOf(same)).toBe('idempotency.in_progress');
    expect(await codeOf(other)).toBe('idempotency.key_reused');
    held[0]?.end('{"rows":[[1]]}');
    expect(await (await first).json()).toEqual({ rows: [[1]] });
    expect(await (await ask()).json()).toEqual({ rows: [[1]] });
    expect(queryService.requests).toHaveLength(1);
  });

  it('is passed on without its key', async () => {
    await ask();
    expect(queryService.requests[0]?.headers['idempotency-key']).toBeUndefined();
  });

  it('gives bytes of another service again as they were', async () => {
    const bytes = Buffer.from([0, 255, 10, 13]);
    queryService.answer = (response) =>
      void response.writeHead(200, { 'content-type': 'text/csv', 'x-result-id': 'rslt1', etag: '"a"' }).end(bytes);
    await ask();
    const again = await ask();
    expect(Buffer.from(await again.arrayBuffer())).toEqual(bytes);
    expect(['content-type', 'x-result-id', 'etag'].map((name) => again.headers.get(name))).toEqual([
      ...['text/csv', 'rslt1', '"a"'],
    ]);
    expect(queryService.requests).toHaveLength(1);
  });

  it('is done again where its answer is too large to be kept, and the answer is whole', async () => {
    const large = 'x'.repeat(300 * 1024);
    queryService.answer = (response) => void response.end(large);
    for (const time of [1, 2]) {
      expect(await (await ask()).text()).toBe(large);
      expect(queryService.requests).toHaveLength(time);
    }
  });

  it('is done again after a failure that may pass', async () => {
    queryService.answer = (response) => void response.writeHead(503, { 'retry-after': '2' }).end('{}');
    expect((await ask()).status).toBe(503);
    queryService.answer = (response) => void response.writeHead(429, { 'retry-after': '2' }).end('{}');
    expect((await ask()).status).toBe(429);
    queryService.answer = answerAtOnce;
    const answer = await ask();
    expect([answer.status, answer.headers.get('idempotency-replayed')]).toEqual([200, null]);
  });

  it.each([403, 408])('is done again after a refusal that may be another one next time: %i', async (status) => {
    queryService.answer = (response) => void response.writeHead(status).end('{}');
    expect((await ask()).status).toBe(status);
    queryService.answer = answerAtOnce;
    expect((await ask()).status).toBe(200);
  });

  it('is done again when an answer breaks off', async () => {
    queryService.answer = (response) => {
      response.writeHead(200, { 'content-length': '10' }).write('12345');
      setImmediate(() => response.destroy());
    };
    await ask()
      .then((answer) => answer.text())
      .catch(() => undefined);
    queryService.answer = answerAtOnce;
    await eventually('it is done again', async () => (await ask()).status === 200);
  });

  it('is done again at once when its client went away', async () => {
    let heard = 0;
    queryService.answer = () => void (heard += 1);
    const gone = await begin('/v1/query', { sql: 'SELECT 1' });
    await eventually('it is under way', () => heard === 1);
    queryService.answer = answerAtOnce;
    gone.destroy();
    await eventually('it is done again', async () => (await ask()).status === 200);
  });

  it('goes on with what was made, when the client went away before the answer', async () => {
    const gone = await begin('/v1/datasets', inline(), ['Prefer: wait=60']);
    await eventually('the dataset is there', async () => (await datasets()).length === 1);
    const [made] = await datasets();
    gone.destroy();
    await eventually('the key is free', async () => (await keyRow())?.isFree === true);
    const again = create(inline(), PATIENT);
    await eventually('the key is taken', async () => (await keyRow())?.isFree === false);
    await cancel(made);
    const answer = await again;
    expect([answer.status, answer.headers.get('location')]).toEqual([409, `/v1/datasets/${made?.id}`]);
    expect(await codeOf(answer)).toBe('job.cancelled');
    expect(await datasets()).toHaveLength(1);
  });

  it('goes on at another gateway with what one made that was not heard of any more, whose answer counts no more', async () => {
    const another = await gateway.startAnother();
    try {
      const late = create(inline(), PATIENT);
      await eventually('the dataset is there', async () => (await datasets()).length === 1);
      const [made] = await datasets();
      const before = await keyRow();
      await inCatalog('UPDATE idempotency_keys SET lease_until = now() WHERE tenant_id = $1');
      const request = { method: 'POST', body: JSON.stringify(inline()), headers: headersOf(PATIENT) };
      const next = fetch(`${another.url}/v1/datasets`, request);
      await eventually('the other has it', async () => (await keyRow())?.claimId !== before?.claimId);
      await cancel(made);
      const [, answer] = [await late, await next];
      expect([answer.status, answer.headers.get('location')]).toEqual([409, `/v1/datasets/${made?.id}`]);
      const again = await create(inline(), PATIENT);
      expect(await again.text()).toBe(await answer.text());
      expect(await datasets()).toHaveLength(1);
    } finally {
      await another.close();
    }
  });

  it('begins anew where what was made had failed by our own fault', async () => {
    const gone = await begin('/v1/datasets', inline(), ['Prefer: wait=60']);
    await eventually('the dataset is there', async () => (await datasets()).length === 1);
    gone.destroy();
    await eventually('the key is free', async () => (await keyRow())?.isFree === true);
    await inCatalog(
      `UPDATE dataset_versions SET status = 'failed', ended_at = now(), raw_storage_key = NULL, error = '{"code":"job.lost","detail":"Lost."}' WHERE tenant_id = $1`,
    );
    await inCatalog('UPDATE datasets SET holds_name = false WHERE tenant_id = $1');
    const again = create(inline(), PATIENT);
    await eventually('there is another dataset', async () => (await datasets()).length === 2);
    await cancel((await datasets())[0]);
    expect((await again).headers.get('location')).toBe(`/v1/datasets/${(await datasets())[0]?.id}`);
  });

  it.each(['', 'ä', 'x'.repeat(256), 'a\tb'])('is refused in time where the key is none: %j', async (bad) => {
    const connection = await RawConnection.open(gateway.url);
    const [authorization = ''] = authorized();
    connection.request('POST /v1/files', [authorization, `Idempotency-Key: ${bad}`, 'Content-Length: 1000000'], 'x');
    await connection.until(/"request_id"/);
    connection.destroy();
    expect(connection.received).toMatch(/^HTTP\/1.1 400 .*request\.invalid/s);
  });

  it('is any other request where it makes nothing', async () => {
    const headers = { 'idempotency-key': '' };
    expect((await gateway.send('GET', '/v1/datasets', { headers })).status).toBe(200);
  });

  it('needs its rights each time', async () => {
    await create();
    const answer = await post('/v1/datasets', inline(), AT_ONCE, 'mr_unknown');
    expect(answer.status).toBe(401);
  });

  it('shows for how long', async () => {
    const config = (await (await gateway.send('GET', '/v1/config')).json()) as { limits: Record<string, number> };
    expect(config.limits['idempotency_retention_ms']).toBe(24 * 60 * 60_000);
    const [{ hours } = {}] = await gateway.catalog.transaction<{ hours: number }[]>(async (transaction) => {
      const { id } = (await (await create()).json()) as DatasetBody;
      return transaction.query(
        `SELECT round(extract(epoch FROM expires_at - now()) / 3600)::float8 AS hours FROM idempotency_keys WHERE effect_id = $1`,
        [id],
      );
    });
    expect(hours).toBe(24);
  });
});
