import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RawConnection } from '@millrace/testing';
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

  it('is taken by the body as it came, with the caller in a signed context and without the key', async () => {
    const body = '{ "sql": "SELECT 1", "params": [12345678901234567890] }';
    const answer = await gateway.send('POST', '/v1/query', { body, headers: { 'content-type': 'application/json' } });
    expect(answer.status).toBe(200);
    expect(queryService.requests.at(-1)).toMatchObject({ url: '/v1/query', body });
    const { headers } = queryService.requests.at(-1) ?? {};
    expect(headers?.['x-millrace-context']).toBeDefined();
    expect(headers?.authorization).toBeUndefined();
  });

  it.each(['http://HOST/v1/query', 'http://HOST//v1/query', '//HOST/v1/query', '/\\HOST/v1/query', 'HOST/v1/query'])(
    'leads to no other host, whatever the request line says: %s',
    async (target) => {
      const stranger = await FakeQueryService.start();
      const connection = await RawConnection.open(gateway.url);
      connection.request(
        `POST ${target.replace('HOST', new URL(stranger.url).host)}`,
        [`Authorization: Bearer ${gateway.tenant.admin.apiKey}`, 'Content-Type: application/json', 'Content-Length: 2'],
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
