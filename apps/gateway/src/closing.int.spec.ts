import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { RawConnection } from '@millrace/testing';
import { FakeQueryService } from '../test/fake-query-service.js';
import { startTestGateway } from '../test/gateway-harness.js';

describe('a gateway that closes', () => {
  it('still leads a request to the query service whose body was under way', async () => {
    const queryService = await FakeQueryService.start();
    const gateway = await startTestGateway({}, queryService.url);
    const connection = await RawConnection.open(gateway.url);
    connection.request(
      'POST /v1/query',
      [
        `Authorization: Bearer ${gateway.tenant.admin.apiKey}`,
        'Content-Type: application/json',
        'Content-Length: 20',
        'Expect: 100-continue',
      ],
      '',
    );
    await connection.until(/100 Continue/);
    const stopped = gateway.stop();
    await stopsListening(gateway.url);
    connection.write('{ "sql": "SELECT 1"}');
    await connection.until(/"rows"/);
    connection.destroy();
    await stopped;
    await queryService.stop();
    expect(connection.statuses).toEqual([100, 200]);
  });
});

async function stopsListening(url: string): Promise<void> {
  for (;;) {
    const connection = await RawConnection.open(url).catch(() => undefined);
    if (!connection) return;
    connection.destroy();
    await sleep(5);
  }
}
