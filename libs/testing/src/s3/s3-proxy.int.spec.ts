import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { S3Proxy } from './s3-proxy.js';

const SENT = 'a'.repeat(100_000);
const ANSWER = 'b'.repeat(50_000);

describe('S3Proxy', () => {
  let store: Server;
  let proxy: S3Proxy;

  beforeAll(async () => {
    store = createServer((request, answer) => {
      request.resume().on('end', () => answer.end(ANSWER));
    }).listen(0, '127.0.0.1');
    await once(store, 'listening');
    proxy = await S3Proxy.start(`http://127.0.0.1:${(store.address() as AddressInfo).port}`);
  });

  afterAll(async () => {
    await proxy.stop();
    store.close();
  });

  it('counts what goes through it, of connections that stay and of those that have ended', async () => {
    expect(proxy.traffic).toEqual({ receivedBytes: 0, sentBytes: 0 });
    const send = async (connection: string): Promise<void> => {
      const answer = await fetch(`${proxy.endpoint}/bucket/key`, {
        method: 'PUT',
        body: SENT,
        headers: { connection },
      });
      expect(await answer.text()).toHaveLength(ANSWER.length);
    };
    for (const [index, connection] of ['close', 'keep-alive'].entries()) {
      await send(connection);
      const { receivedBytes, sentBytes } = proxy.traffic;
      expect(receivedBytes - (index + 1) * SENT.length).toBeGreaterThan(0);
      expect(receivedBytes - (index + 1) * SENT.length).toBeLessThan(2_000);
      expect(sentBytes - (index + 1) * ANSWER.length).toBeGreaterThan(0);
      expect(sentBytes - (index + 1) * ANSWER.length).toBeLessThan(2_000);
    }
  });
});
