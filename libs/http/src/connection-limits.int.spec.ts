import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newId } from '@millrace/domain';
import { RawConnection } from '@millrace/testing';
import { startSampleServer, type SampleServer } from '../test/sample-server.js';

const DATASET = `/v1/datasets/${newId('dataset')}`;
const JSON_TYPE = 'Content-Type: application/json';
const LIMITS = { connectionsMax: 8, headersMs: 400, jsonBodyMs: 600, jsonBodyIdleMs: 300 };

describe('what a client may hold', () => {
  let server: SampleServer;

  beforeAll(async () => {
    server = await startSampleServer({ limits: LIMITS });
  });
  afterAll(() => server.stop());

  const send = async (line: string, headers: readonly string[] = [], body = ''): Promise<RawConnection> => {
    const connection = await RawConnection.open(server.url);
    connection.request(line, headers, body);
    return connection;
  };
  const put = (header: string, body: string) => send(`PUT ${DATASET}`, [server.authorization, JSON_TYPE, header], body);

  it('is a JSON body that pauses for a moment only', async () => {
    const connection = await put('Content-Length: 100', '{');
    await connection.ended();
    expect(connection.statuses).toEqual([408]);
    expect(connection.received).toContain('"request.interrupted"');
    await connection.cutOff();
  });

  it('is a JSON body that ends in time, however busily it comes', async () => {
    const startedAt = performance.now();
    const connection = await put('Transfer-Encoding: chunked', '');
    const drip = setInterval(() => connection.write('1\r\n \r\n'), LIMITS.jsonBodyIdleMs / 4);
    await connection.ended().finally(() => clearInterval(drip));
    expect(connection.statuses).toEqual([408]);
    expect(performance.now() - startedAt).toBeGreaterThan(LIMITS.jsonBodyIdleMs);
    connection.destroy();
  });

  it('is a stream that takes its time: that has bounds of its own', async () => {
    const connection = await send('POST /v1/files', [server.authorization, 'Content-Length: 2'], 'a');
    await sleep(2 * LIMITS.jsonBodyMs);
    connection.write('b');
    await connection.until(/"bytes":2/);
    expect(connection.statuses).toEqual([201]);
    connection.destroy();
  });

  it.each([
    ['never come', ''],
    ['never end', 'GET /livez HTTP/1.1\r\nHost: a\r\nX-Slow: '],
  ])('are headers that %s, for a moment only', async (_, text) => {
    const connection = await RawConnection.open(server.url);
    if (text) connection.write(text);
    await connection.cutOff(5_000, text ? 'a' : '\r\n');
    expect(connection.statuses.filter((status) => status !== 408)).toEqual([]);
  });

  it('is so many connections and no more; those beyond are dropped and counted', async () => {
    const open = await Promise.all(Array.from({ length: LIMITS.connectionsMax }, () => send('GET /livez')));
    await Promise.all(open.map((connection) => connection.until(/"ok"/)));
    const beyond = await RawConnection.open(server.url);
    await beyond.cutOff();
    expect(beyond.received).toBe('');
    expect(await server.metrics.metrics()).toMatch(/^millrace_http_connections_dropped_total\{.*\} 1$/m);
    open[0]?.destroy();
    await sleep(50);
    const next = await send('GET /livez');
    await next.until(/"ok"/);
    for (const connection of [...open, next]) connection.destroy();
  });
});

describe('what a tenant may hold', () => {
  const bytes = 100_000;
  let server: SampleServer;

  beforeAll(async () => {
    server = await startSampleServer({ limits: { jsonBytesOfTenantMax: 2.5 * bytes, jsonBytesInAllMax: 3.5 * bytes } });
  });
  afterAll(() => server.stop());

  const half = async (authorization: string): Promise<RawConnection> => {
    const connection = await RawConnection.open(server.url);
    const headers = [authorization, JSON_TYPE, `Content-Length: ${bytes + 1}`];
    connection.request(`PUT ${DATASET}`, headers, ' '.repeat(bytes));
    return connection;
  };

  it('are so many bytes of JSON at once, until the requests are answered or gone', async () => {
    const held = [await half(server.authorization), await half(server.authorization)];
    await sleep(200);
    const refused = await half(server.authorization);
    await refused.ended();
    expect(refused.statuses).toEqual([429]);
    expect(refused.received).toContain('"request.too_many"');
    const other = await half(server.otherAuthorization);
    await sleep(200);
    const beyondAll = await half(server.otherAuthorization);
    await beyondAll.ended();
    expect(beyondAll.statuses).toEqual([503]);
    for (const connection of [...held, other]) connection.destroy();
    await sleep(200);
    const again = await half(server.authorization);
    again.write('!');
    await again.until(/request.malformed/);
    for (const connection of [refused, beyondAll, again]) connection.destroy();
  });
});
