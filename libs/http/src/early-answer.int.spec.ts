import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DomainError, newId } from '@millrace/domain';
import { RawConnection } from '@millrace/testing';
import { startSampleServer, type SampleServer, type Upload } from '../test/sample-server.js';

const MiB = 1024 ** 2;
const DATASET = `/v1/datasets/${newId('dataset')}`;
const JSON_TYPE = 'Content-Type: application/json';
/** The linger, and room for a busy machine. */
const CUT_OFF_MAX_MS = 6_000;

const refuse: Upload = async () => {
  throw new DomainError('upload.too_large', 'no');
};
const refuseHalfWay: Upload = async (body) => {
  for await (const chunk of (body as never as import('node:stream').Readable).iterator({ destroyOnReturn: false })) {
    if (chunk) throw new DomainError('upload.too_large', 'no');
  }
};
const fallSilent: Upload = async (body) => {
  const chunks = body[Symbol.asyncIterator]();
  await chunks.next();
  void chunks.next().catch(() => undefined);
  throw new DomainError('upload.interrupted', 'no');
};

describe('an answer before the end of the request', () => {
  let server: SampleServer;
  let readAll: Upload;

  beforeAll(async () => {
    server = await startSampleServer();
    readAll = server.upload;
  });
  beforeEach(() => void (server.upload = readAll));
  afterAll(() => server.stop());

  const send = async (line: string, headers: string[], body = ''): Promise<RawConnection> => {
    const connection = await RawConnection.open(server.url);
    connection.request(line, headers, body);
    return connection;
  };

  it.each([
    ['nobody reads', refuse, 413],
    ['was read in part', refuseHalfWay, 413],
    ['is still waited for', fallSilent, 400],
  ])('to a stream that %s ends the connection, also when the client does nothing', async (_, upload, status) => {
    server.upload = upload;
    const connection = await send('POST /v1/files', [server.authorization, `Content-Length: ${MiB}`], 'some bytes');
    const text = await connection.ended();
    expect(connection.statuses).toEqual([status]);
    expect(text).toMatch(/^connection: close\r$/im);
    await connection.cutOff(CUT_OFF_MAX_MS);
  });

  it.each([
    ['refused', `PUT ${DATASET}`, [], 401],
    ['of an unknown path', 'POST /nowhere', [], 404],
    ['of a path that can not be decoded', 'POST /%zz', [], 400],
    ['of another media type', `PUT ${DATASET}`, ['auth'], 415],
    ['with a body that nobody wants', 'GET /v1/files', ['auth'], 200],
  ])('to a request %s ends the connection', async (_, line, headers, status) => {
    const connection = await send(line, [...(headers.length ? [server.authorization] : []), 'Content-Length: 9'], '{');
    const text = await connection.ended();
    expect(connection.statuses).toEqual([status]);
    expect(text).toMatch(/^connection: close\r$/im);
    expect(text).toMatch(/^x-request-id: /im);
    await connection.cutOff(CUT_OFF_MAX_MS);
  });

  it('reaches a client that goes on sending', async () => {
    server.upload = refuseHalfWay;
    const connection = await send('POST /v1/files', [server.authorization, 'Content-Length: 100000000']);
    for (let sent = 0; sent < 20; sent += 1) connection.write(new Uint8Array(MiB));
    expect(await connection.ended()).toContain('"upload.too_large"');
  });

  it('is none when the whole body is there: the connection stays', async () => {
    const connection = await send('POST /v1/files', [server.authorization, 'Content-Length: 2'], 'ab');
    await connection.until(/"bytes":2/);
    server.upload = refuse;
    connection.request('POST /v1/files', [server.authorization, 'Content-Length: 2'], 'ab');
    await connection.until(/too_large/);
    connection.request('GET /livez');
    await connection.until(/"ok"/);
    connection.destroy();
    expect(connection.statuses).toEqual([201, 413, 200]);
    expect(connection.received).not.toMatch(/^connection: close/im);
  });

  describe('with Expect: 100-continue', () => {
    const expecting = (sizeBytes: number) => ['Expect: 100-continue', `Content-Length: ${sizeBytes}`];

    it.each([
      ['a key', 'POST /v1/files', [], 2, 401],
      ['a media type that the route takes', `PUT ${DATASET}`, ['auth'], 2, 415],
      ['room for it', `PUT ${DATASET}`, ['auth', JSON_TYPE], 9 * MiB, 413],
    ])('asks for no body without %s', async (_, line, headers, sizeBytes, status) => {
      const all = headers.map((header) => (header === 'auth' ? server.authorization : header));
      const connection = await send(line, [...all, ...expecting(sizeBytes)]);
      await connection.ended();
      expect(connection.statuses).toEqual([status]);
      await connection.cutOff(CUT_OFF_MAX_MS);
    });

    it.each([
      ['a stream', 'POST /v1/files', '{"label":"A"}'],
      ['JSON', `PUT ${DATASET}`, '{"label":"A"}'],
    ])('asks for the body when it is read: %s', async (_, line, body) => {
      const connection = await send(line, [server.authorization, JSON_TYPE, ...expecting(body.length)]);
      await connection.until(/^HTTP\/1.1 100 Continue\r\n\r\n/);
      connection.write(body);
      await connection.until(/"bytes"|"tenant"/);
      connection.destroy();
      expect(connection.statuses).toHaveLength(2);
    });
  });
});
