import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { RawConnection } from '@millrace/testing';
import { startSampleServer } from '../test/sample-server.js';

const DRAIN_MS = 10_000;

describe('a server that closes while a request runs', () => {
  it.each([
    ['GET /v1/files', 503, '"service.unavailable"', /^retry-after: /im],
    ['GET /readyz', 503, '"not_ready"', /^content-type: application\/json/im],
    ['GET /livez', 200, '"ok"', /^content-type: application\/json/im],
  ])('answers what comes over its connection: %s', async (line, status, answer, header) => {
    const server = await startSampleServer();
    const { promise: work, resolve: end } = Promise.withResolvers<void>();
    server.upload = async () => work;
    const connection = await RawConnection.open(server.url);
    connection.request('POST /v1/files', [server.authorization, 'Content-Length: 1'], 'a');
    while (server.handled === 0) await sleep(5);
    const closed = server.stop(DRAIN_MS);
    await stopsListening(server.url);
    connection.request(line, [server.authorization]);
    await sleep(50);
    end();
    await connection.ended();
    connection.destroy();
    await closed;
    expect(connection.statuses).toEqual([201, status]);
    expect(connection.received).toContain(answer);
    expect(connection.received).toMatch(header);
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
