import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createTenant, eventually, RawConnection } from '@millrace/testing';
import { FakeQueryService } from '../test/fake-query-service.js';
import { startTestGateway, type GatewayUnderTest } from '../test/gateway-harness.js';

describe('the way to the query service', () => {
  let gateway: GatewayUnderTest;
  let queryService: FakeQueryService;

  beforeAll(async () => {
    queryService = await FakeQueryService.start();
    gateway = await startTestGateway({}, queryService.url);
  });
  afterAll(async () => {
    await gateway.stop();
    await queryService.stop();
  });

  const credentials = () => [`Authorization: Bearer ${gateway.tenant.admin.apiKey}`, 'Content-Type: application/json'];

  it('is taken by the body as it came, with the caller in a signed context and without the key', async () => {
    const body = '{ "sql": "SELECT 1", "params": [12345678901234567890] }';
    const answer = await gateway.send('POST', '/v1/query', { body, headers: { 'content-type': 'application/json' } });
    expect(answer.status).toBe(200);
    expect(queryService.requests.at(-1)).toMatchObject({ url: '/v1/query', body });
    const { headers } = queryService.requests.at(-1) ?? {};
    expect(headers?.['x-millrace-context']).toBeDefined();
    expect(headers?.authorization).toBeUndefined();
  });

  it('does not stay the same, so that an instance that was added gets its part', async () => {
    const service = await FakeQueryService.start();
    const other = await startTestGateway({ QUERY_SERVICE_CONNECTION_MS: '50' }, service.url);
    try {
      await eventually('a request comes over another connection', async () => {
        await other.send('POST', '/v1/query', { json: { sql: 'SELECT 1' } });
        return new Set(service.requests.map(({ port }) => port)).size > 1;
      });
    } finally {
      await other.stop();
      await service.stop();
    }
  });

  it('is not taken by bodies that do not arrive', async () => {
    const before = queryService.requests.length;
    const stuck = await Promise.all(Array.from({ length: 260 }, () => RawConnection.open(gateway.url)));
    for (const connection of stuck)
      connection.request('POST /v1/query', [...credentials(), 'Content-Length: 100'], '{');
    const other = await createTenant(gateway.catalog);
    const answer = await gateway.send('POST', '/v1/query', { json: { sql: 'SELECT 1' }, apiKey: other.admin.apiKey });
    for (const connection of stuck) connection.destroy();
    expect(answer.status).toBe(200);
    expect(queryService.requests).toHaveLength(before + 1);
  });

  it('is not taken whole by one tenant', async () => {
    const held: ServerResponse[] = [];
    const answerAtOnce = queryService.answer;
    queryService.answer = (response) => void held.push(response);
    const ask = () => gateway.send('POST', '/v1/query', { json: { sql: 'SELECT 1' } });
    const answers = Array.from({ length: 64 }, ask);
    await eventually('64 queries at the query service', () => held.length === 64);
    await expect((await ask()).json()).resolves.toMatchObject({ status: 429, code: 'query.too_many', retryable: true });
    queryService.answer = answerAtOnce;
    const other = await createTenant(gateway.catalog);
    const served = await gateway.send('POST', '/v1/query', { json: { sql: 'SELECT 1' }, apiKey: other.admin.apiKey });
    expect(served.status).toBe(200);
    for (const response of held) response.end('{}');
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(Array.from({ length: 64 }, () => 200));
    expect((await ask()).status).toBe(200);
  });

  it('is free again when clients have gone', async () => {
    const answerAtOnce = queryService.answer;
    let heard = 0;
    queryService.answer = () => void (heard += 1);
    const gone = await Promise.all(Array.from({ length: 64 }, () => RawConnection.open(gateway.url)));
    for (const connection of gone) connection.request('POST /v1/query', [...credentials(), 'Content-Length: 2'], '{}');
    await eventually('64 queries at the query service', () => heard === 64);
    for (const connection of gone) connection.destroy();
    queryService.answer = answerAtOnce;
    await sleep(200);
    expect((await gateway.send('POST', '/v1/query', { json: {} })).status).toBe(200);
  });

  it('is out of order, and the key of the caller is not to blame, when the secrets of the two differ', async () => {
    const answerAtOnce = queryService.answer;
    queryService.answer = (response) => void response.writeHead(401).end('{"code":"auth.invalid"}');
    const answer = await gateway.send('POST', '/v1/query', { json: { sql: 'SELECT 1' } });
    queryService.answer = answerAtOnce;
    await expect(answer.json()).resolves.toMatchObject({ status: 503, code: 'service.unavailable', retryable: true });
  });

  it('is closed to what is no JSON', async () => {
    const answer = await gateway.send('POST', '/v1/query', {
      body: 'SELECT 1',
      headers: { 'content-type': 'text/plain' },
    });
    await expect(answer.json()).resolves.toMatchObject({ status: 415 });
  });

  it.each(['http://HOST/v1/query', 'http://HOST//v1/query', '//HOST/v1/query', '/\\HOST/v1/query', 'HOST/v1/query'])(
    'leads to no other host, whatever the request line says: %s',
    async (target) => {
      const stranger = await FakeQueryService.start();
      const connection = await RawConnection.open(gateway.url);
      connection.request(
        `POST ${target.replace('HOST', new URL(stranger.url).host)}`,
        [...credentials(), 'Content-Length: 2'],
        '{}',
      );
      await connection.until(/\r\n\r\n/);
      const heard = stranger.requests.length;
      connection.destroy();
      await stranger.stop();
      expect({ statuses: connection.statuses, heard }).toEqual({ statuses: [400], heard: 0 });
    },
  );
});
