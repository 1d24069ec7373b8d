import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { RawConnection } from '@millrace/testing';
import { startSampleServer, type SampleServer } from '../test/sample-server.js';

describe('a client that', () => {
  let server: SampleServer;
  let list: SampleServer['list'];

  beforeAll(async () => {
    server = await startSampleServer();
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
    while (connection.statuses.length < 3) await sleep(10);
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
});
