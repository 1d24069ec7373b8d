import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newId } from '@millrace/domain';
import { startSampleServer, type SampleServer } from '../test/sample-server.js';

const DATASET = `/v1/datasets/${newId('dataset')}`;
const CANCEL = `/v1/jobs/${newId('job')}/cancel`;
const JSON_TYPE = { 'content-type': 'application/json' };

describe('the body of a request', () => {
  let server: SampleServer;

  beforeAll(async () => {
    server = await startSampleServer();
  });
  afterAll(() => server.stop());

  const send = (
    [method, path]: [string, string],
    headers: Record<string, string>,
    body?: RequestInit['body'],
  ): Promise<Response> => {
    const authorization = server.authorization.replace('Authorization: ', '');
    return fetch(server.url + path, {
      method,
      headers: { ...headers, authorization },
      ...(body !== undefined && { body }),
    });
  };

  it.each(['gzip', 'br', 'constructor', 'gzip, identity'])(
    'is JSON as it is: encoded in %s it is refused by the name of that',
    async (encoding) => {
      const body = gzipSync('{"label":"A"}');
      const answer = await send(['PUT', DATASET], { ...JSON_TYPE, 'content-encoding': encoding }, body);
      await expect(answer.json()).resolves.toMatchObject({
        ...{ status: 415, code: 'request.unsupported_media_type' },
        detail: expect.stringContaining(`"Content-Encoding: ${encoding}"`),
      });
    },
  );

  it('is JSON as it is, also when that is said', async () => {
    const headers = { ...JSON_TYPE, 'content-encoding': 'Identity' };
    expect((await send(['PUT', DATASET], headers, '{"label":"A"}')).status).toBe(200);
  });

  it('is JSON in UTF-8', async () => {
    const answer = await send(['PUT', DATASET], JSON_TYPE, Buffer.from('{"label":"süd"}', 'latin1'));
    await expect(answer.json()).resolves.toMatchObject({
      ...{ status: 400, code: 'request.malformed' },
      detail: expect.stringContaining('UTF-8'),
    });
  });

  it.each(['application/json', 'text/plain'])(
    'may be empty where there is none, whatever its type: %s',
    async (type) => {
      const answers = [
        await send(['POST', CANCEL], { 'content-type': type }),
        await send(['POST', CANCEL], { 'content-type': type }, ''),
        await send(['POST', CANCEL], JSON_TYPE, '{}'),
        await send(['POST', CANCEL], {}),
      ];
      expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 202]);
    },
  );

  it('has a type that does not matter to a stream, and is told as it came to a route that wants JSON', async () => {
    const headers = { 'content-type': 'csv' };
    await expect((await send(['POST', '/v1/files'], headers, 'a,b')).json()).resolves.toEqual({ bytes: 3 });
    const answer = await send(['PUT', DATASET], headers, '{"label":"A"}');
    await expect(answer.json()).resolves.toMatchObject({
      ...{ status: 415, code: 'request.unsupported_media_type' },
      detail: 'This route takes "Content-Type: application/json", not "csv".',
    });
  });

  it('must not be empty where there is one', async () => {
    const answer = await send(['PUT', DATASET], JSON_TYPE, '');
    await expect(answer.json()).resolves.toMatchObject({ status: 400, code: 'request.malformed' });
  });
});
