import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newId } from '@millrace/domain';
import { RawConnection } from '@millrace/testing';
import { startSampleServer, type SampleServer } from '../test/sample-server.js';

const DATASET = `/v1/datasets/${newId('dataset')}`;
const JSON_TYPE = 'Content-Type: application/json';
const ANNOUNCED = 'Content-Length: 8000000';

describe('who may pass', () => {
  let server: SampleServer;

  beforeAll(async () => {
    server = await startSampleServer({
      extend: async (fastify) => void fastify.get('/page', () => 'a page that says nothing about its access'),
    });
  });
  afterAll(() => server.stop());

  /** The answer to a request whose announced body never comes. */
  const answerWithoutBody = async (line: string, ...headers: string[]): Promise<string> => {
    const connection = await RawConnection.open(server.url);
    connection.request(line, [JSON_TYPE, ANNOUNCED, ...headers], '{');
    await connection.until(/"request_id"/).finally(() => connection.destroy());
    return connection.received;
  };

  it.each([
    ['without a key', `PUT ${DATASET}`, [], 401],
    ['with a wrong key', `PUT ${DATASET}`, ['Authorization: Bearer mr_wrong'], 401],
    ['to a stream', 'POST /v1/files', [], 401],
    ['to a path that is not there', 'POST /nowhere', [], 404],
    ['with a method that is not there', 'PATCH /v1/files', [], 404],
    ['to a route that nobody gave an access', 'POST /forgotten', [], 401],
  ])('is decided before the body comes: %s', async (_, line, headers, status) => {
    expect(await answerWithoutBody(line, ...headers)).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  });

  it('is nobody where a route does not say it, even with a key', async () => {
    const before = server.handled;
    expect(await answerWithoutBody('POST /forgotten', server.authorization)).toMatch(/^HTTP\/1.1 403 /);
    const headers = { authorization: server.authorization.replace('Authorization: ', '') };
    expect((await fetch(`${server.url}/forgotten`, { headers })).status).toBe(403);
    expect((await fetch(`${server.url}/forgotten`, { headers, method: 'HEAD' })).status).toBe(403);
    expect((await fetch(`${server.url}/page`)).status).toBe(401);
    expect((await fetch(`${server.url}/page`, { headers })).status).toBe(403);
    expect(server.handled).toBe(before);
  });

  it('is everybody where a route is public, and HEAD is as its GET', async () => {
    expect((await fetch(`${server.url}/livez`)).status).toBe(200);
    expect((await fetch(`${server.url}/livez`, { method: 'HEAD' })).status).toBe(200);
    expect((await fetch(`${server.url}/v1/files`, { method: 'HEAD' })).status).toBe(401);
  });
});
