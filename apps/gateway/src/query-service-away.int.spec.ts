import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newId } from '@millrace/domain';
import { type GatewayUnderTest, type SendOptions, startTestGateway } from '../test/gateway-harness.js';

describe('a query service that is not there', () => {
  let gateway: GatewayUnderTest;

  beforeAll(async () => {
    gateway = await startTestGateway();
  });
  afterAll(() => gateway.stop());

  it.each<[string, string, SendOptions]>([
    ['POST', '/v1/query', { json: { sql: 'SELECT 1' } }],
    ['GET', `/v1/results/${newId('result')}`, {}],
    ['GET', `/v1/datasets/${newId('dataset')}/preview`, {}],
    ['GET', `/v1/datasets/${newId('dataset')}/download`, {}],
    ['GET', `/v1/results/${newId('result')}/download`, {}],
  ])('is service.unavailable, to be tried again, for %s %s', async (method, path, options) => {
    const answer = await gateway.send(method, path, options);
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, expect.stringMatching(/^[1-9]\d*$/)]);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    await expect(answer.json()).resolves.toMatchObject({
      ...{ status: 503, code: 'service.unavailable', retryable: true },
      detail: expect.stringContaining('query service'),
    });
  });

  it('is named by /readyz, and is no reason to ask another gateway', async () => {
    const answer = await gateway.send('GET', '/readyz');
    expect(answer.status).toBe(200);
    await expect(answer.json()).resolves.toMatchObject({
      ...{ status: 'ready' },
      checks: { postgres: { status: 'up' }, object_store: { status: 'up' }, query_service: { status: 'down' } },
    });
  });
});
