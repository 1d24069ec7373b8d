import type { AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { RawConnection } from '@millrace/testing';
import fastify from 'fastify';
import { partWhileDraining } from './part-while-draining.js';
import { Readiness } from './readiness.js';

describe('a server that drains', () => {
  it('answers what comes over open connections, and ends them with the answer', async () => {
    const readiness = new Readiness();
    const app = fastify();
    partWhileDraining(app, readiness);
    app.get('/', async () => 'here');
    await app.listen({ host: '127.0.0.1', port: 0 });
    const connection = await RawConnection.open(`http://127.0.0.1:${(app.server.address() as AddressInfo).port}`);
    try {
      connection.request('GET /', []);
      await connection.until(/here/);
      readiness.drain();
      connection.request('GET /', []);
      await connection.until(/connection: close/i);
      await connection.ended();
      expect(connection.statuses).toEqual([200, 200]);
    } finally {
      connection.destroy();
      await app.close();
    }
  });
});
