import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { problemSchema } from '@millrace/contract';
import { eventually, RawConnection } from '@millrace/testing';
import { startSampleServer, type SampleServer } from '../test/sample-server.js';

const ANSWER_IDLE_MS = 300;

describe('a client that', () => {
  let server: SampleServer;
  let list: SampleServer['list'];

  beforeAll(async () => {
    server = await startSampleServer({ limits: { answerIdleMs: ANSWER_IDLE_MS } });
    list = server.list;
  });
  afterEach(() => void (server.list = list));
  afterAll(() => server.stop());

  /** A connection that asks for the list again and again without waiting. */
  const askAhead = async (times: number): Promise<RawConnection> => {
    const connection = await RawConnection.open(server.url);
    for (let sent = 0; sent < times; sent += 1) connection.request('GET /v1/files', [server.authorization]);
    return connection;
  };

  it.each([
    ['speaks no HTTP', 'hello\r\n\r\n', 'request.invalid'],
    ['speaks HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'request.invalid'],
    [
      'has a length and chunks',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n',
      'request.invalid',
    ],
    [
      'has two lengths',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n',
      'request.invalid',
    ],
    ['ends with no chunk', 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n', 'request.invalid'],
    ['folds a header', 'GET /livez HTTP/1.1\r\nHost: a\r\nX-A: b\r\n c\r\n\r\n', 'request.invalid'],
    ['sends a NUL', 'GET /livez HTTP/1.1\r\nHost: a\r\nX-A: b\0c\r\n\r\n', 'request.invalid'],
    [
      'sends all cookies',
      `GET /livez HTTP/1.1\r\nHost: a\r\nCookie: ${'a'.repeat(20_000)}\r\n\r\n`,
      'request.headers_too_large',
    ],
    ['sends a long path', `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 'request.headers_too_large'],
  ])('%s gets a problem and no connection', async (_, bytes, code) => {
    const connection = await RawConnection.open(server.url);
    connection.write(bytes);
    const text = await connection.ended();
    expect(text).toMatch(/^content-type: application\/problem\+json/im);
    expect(problemSchema.parse(JSON.parse(text.split('\r\n\r\n')[1] ?? ''))).toMatchObject({
      code,
      status: connection.statuses[0],
    });
    await connection.cutOff();
  });

  it('does not wait for its answers is served one request after another', async () => {
    const first = Promise.withResolvers<unknown>();
    let begun = 0;
    server.list = () => {
      begun += 1;
      return begun === 1 ? first.promise : list();
    };
    const connection = await askAhead(3);
    await sleep(100);
    expect(begun).toBe(1);
    first.resolve({ uploads: ['first'] });
    await eventually('three answers', () => connection.statuses.length === 3);
    expect(connection.received.indexOf('first')).toBeLessThan(connection.received.lastIndexOf('HTTP/1.1'));
    expect({ begun, statuses: connection.statuses }).toEqual({ begun: 3, statuses: [200, 200, 200] });
    connection.destroy();
  });

  it('goes away leaves nothing to do that has not begun', async () => {
    const first = Promise.withResolvers<unknown>();
    let begun = 0;
    server.list = () => {
      begun += 1;
      return first.promise;
    };
    const connection = await askAhead(3);
    await sleep(100);
    connection.destroy();
    await sleep(100);
    first.resolve({});
    await sleep(100);
    expect(begun).toBe(1);
  });

  it('sends far too many requests ahead is cut off', async () => {
    server.list = () => new Promise(() => undefined);
    const connection = await askAhead(50);
    await connection.cutOff(2_000, ' ');
    expect(connection.received).toBe('');
  });

  it('takes nothing of its answer is cut off', async () => {
    const size = 32 * 1024 ** 2;
    server.list = async () => ({ text: 'x'.repeat(size) });
    const connection = await RawConnection.open(server.url);
    connection.pause();
    connection.request('GET /v1/files', [server.authorization, 'Connection: close']);
    await sleep(10 * ANSWER_IDLE_MS);
    connection.resume();
    await connection.ended();
    expect(connection.received.length).toBeLessThan(size);
  });

  it('waits longer for its answer than it may stand still is served', async () => {
    server.list = async () => {
      await sleep(2 * ANSWER_IDLE_MS);
      return list();
    };
    const connection = await askAhead(2);
    await eventually('two answers', () => connection.statuses.length === 2);
    expect(connection.statuses).toEqual([200, 200]);
    connection.destroy();
  });

  it('names no trace gets none back', async () => {
    for (const traceparent of ['00-zz', 'a\u00e9b', `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01x`]) {
      const answer = await fetch(`${server.url}/livez`, { headers: { traceparent } });
      expect(answer.headers.get('traceparent')).toBeNull();
    }
  });

  it('names something in 300 letters names nothing', async () => {
    const headers = { authorization: server.authorization.replace('Authorization: ', '') };
    const answer = await fetch(`${server.url}/v1/datasets/${'a'.repeat(300)}`, { headers, method: 'PUT' });
    await expect(answer.json()).resolves.toMatchObject({ status: 404, code: 'route.unknown' });
  });
});
