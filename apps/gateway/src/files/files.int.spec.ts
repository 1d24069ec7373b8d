import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { UploadBody } from '@millrace/contract';
import { DomainError, newId } from '@millrace/domain';
import { createTenant, eventually, RawConnection, registeredKeys } from '@millrace/testing';
import { startTestGateway, type GatewayUnderTest, type SendOptions } from '../../test/gateway-harness.js';

const csv = 'id,name\n1,test';
const sha256 = (text: string) => createHash('sha256').update(text);

describe('files', () => {
  let gateway: GatewayUnderTest;

  beforeAll(async () => {
    gateway = await startTestGateway({ UPLOAD_IDLE_MS: '300', UPLOAD_BYTES_MAX: '1000000' });
  });
  afterAll(() => gateway.stop());

  const upload = (options: SendOptions) => gateway.send('POST', '/v1/files', options);
  const uploaded = async (options: SendOptions) => (await (await upload(options)).json()) as UploadBody;
  const bytesInStore = async () => {
    const keys = [];
    for await (const { key } of gateway.store.list('')) keys.push(key);
    return keys;
  };
  /** What the register of keys holds beside the bytes that are alive. */
  const writing = async () => {
    const keys = await registeredKeys(gateway.catalog);
    const blobs = await Promise.all(
      keys.map((storageKey) => gateway.catalog.blobs.find({ tenantId: gateway.tenant.tenantId, storageKey })),
    );
    return blobs.filter((blob) => blob?.status === 'writing');
  };

  it('are stored as they are and waited for', async () => {
    const answer = await upload({
      body: csv,
      headers: { 'content-type': 'text/csv', 'content-disposition': `attachment; filename="a b.csv"` },
    });
    const body = (await answer.json()) as UploadBody;
    expect(answer.status).toBe(201);
    expect(answer.headers.get('location')).toBe(`/v1/files/${body.id}`);
    expect(body).toMatchObject({
      status: 'pending',
      file_name: 'a b.csv',
      size_bytes: csv.length,
      content_type: 'text/csv',
      content_encoding: null,
      content_hash: `sha-256:${sha256(csv).digest('hex')}`,
      consumed_at: null,
    });
    expect(Date.parse(body.expires_at) - Date.parse(body.created_at)).toBe(24 * 60 * 60_000);
    await expect((await gateway.send('GET', `/v1/files/${body.id}`)).json()).resolves.toEqual(body);
  });

  it('take the name of RFC 8187, without folders and control characters', async () => {
    const name = `attachment; filename*=UTF-8''..%2Fs%C3%BCd%0A.csv`;
    await expect(uploaded({ body: csv, headers: { 'content-disposition': name } })).resolves.toMatchObject({
      file_name: 'süd.csv',
    });
  });

  it('are taken whatever nonsense the name is', async () => {
    await expect(uploaded({ body: csv, headers: { 'content-disposition': '=;"' } })).resolves.toMatchObject({
      file_name: null,
    });
  });

  it.each(['csv', 'csv; charset=utf-8', '/', ''])('are taken whatever is no media type: %j', async (type) => {
    await expect(uploaded({ body: csv, headers: { 'content-type': type } })).resolves.toMatchObject({
      content_type: 'application/octet-stream',
      size_bytes: csv.length,
    });
  });

  it('with the same bytes share one blob', async () => {
    const first = await uploaded({ body: 'shared bytes' });
    const before = await bytesInStore();
    const second = await uploaded({ body: 'shared bytes' });
    expect([first.deduplicated, second.deduplicated]).toEqual([false, true]);
    const [one, two] = await Promise.all(
      [first, second].map(({ id }) => gateway.catalog.uploads.get(gateway.tenant.tenantId, id as never)),
    );
    expect(two?.storageKey).toBe(one?.storageKey);
    expect(before).toContain(one?.storageKey);
  });

  it('of another tenant are never shared', async () => {
    const other = await createTenant(gateway.catalog);
    await uploaded({ body: 'secret bytes' });
    await expect(uploaded({ body: 'secret bytes', apiKey: other.admin.apiKey })).resolves.toMatchObject({
      deduplicated: false,
    });
  });

  it.each([
    ['gzip', 'gzip'],
    ['x-gzip', 'gzip'],
    ['ZSTD', 'zstd'],
    ['identity', null],
  ])('remember the content encoding %s', async (encoding, remembered) => {
    await expect(uploaded({ body: csv, headers: { 'content-encoding': encoding } })).resolves.toMatchObject({
      content_encoding: remembered,
    });
  });

  it.each([
    ['an empty body', { body: '' }, 400, 'upload.empty'],
    ['no body', {}, 400, 'upload.empty'],
    ['brotli', { body: csv, headers: { 'content-encoding': 'br' } }, 415, 'upload.encoding_unsupported'],
    ['more than the limit', { body: 'x'.repeat(1_000_001) }, 413, 'upload.too_large'],
    [
      'another digest',
      { body: csv, headers: { 'content-digest': `sha-256=:${sha256('other').digest('base64')}:` } },
      422,
      'upload.digest_mismatch',
    ],
    ['a malformed digest', { body: csv, headers: { 'content-digest': 'sha-256=abc' } }, 400, 'request.invalid'],
    ['what is no digest', { body: csv, headers: { 'content-digest': 'garbage' } }, 400, 'request.invalid'],
  ])('refuse %s and keep nothing', async (_, options, status, code) => {
    const before = await bytesInStore();
    const answer = await upload(options);
    await expect(answer.json()).resolves.toMatchObject({ status, code });
    expect(await bytesInStore()).toEqual(before);
    expect(await writing()).toEqual([]);
  });

  it('refuse to be taken while the disk of the store is full, say when to come back, and keep nothing', async () => {
    const before = await bytesInStore();
    gateway.store.fail('put', { error: () => new DomainError('storage.full', 'The disk is full.') });
    const answer = await upload({ body: csv, headers: { 'content-type': 'text/csv' } });
    gateway.store.heal();
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([507, expect.stringMatching(/^[1-9]\d*$/)]);
    await expect(answer.json()).resolves.toMatchObject({ status: 507, code: 'storage.full', retryable: true });
    expect(await bytesInStore()).toEqual(before);
    expect(await writing()).toEqual([]);
    expect((await upload({ body: csv })).status).toBe(201);
  });

  it('with the right digest are taken, whatever other digests say', async () => {
    const digest = `sha-512=:AAAA:, sha-256=:${sha256(csv).digest('base64')}:`;
    expect((await upload({ body: csv, headers: { 'content-digest': digest } })).status).toBe(201);
  });

  describe('in a form', () => {
    const form = (...files: [string, string][]) => {
      const data = new FormData();
      data.set('note', 'a field that is no file');
      for (const [name, content] of files) data.append('file', new Blob([content], { type: 'text/csv' }), name);
      return data;
    };

    it('are taken with their name and type', async () => {
      await expect(uploaded({ body: form(['ä.csv', csv]) })).resolves.toMatchObject({
        file_name: 'ä.csv',
        content_type: 'text/csv',
        content_hash: `sha-256:${sha256(csv).digest('hex')}`,
      });
    });

    it.each([
      ['no file', form()],
      ['two files', form(['a.csv', csv], ['b.csv', csv])],
    ])('with %s are refused and nothing is kept', async (_, body) => {
      const before = await bytesInStore();
      await expect((await upload({ body })).json()).resolves.toMatchObject({ status: 400, code: 'request.invalid' });
      expect(await bytesInStore()).toEqual(before);
    });

    it('cut in the middle are refused and nothing is kept', async () => {
      const before = await bytesInStore();
      const body = '--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\nid,na';
      const answer = await upload({ body, headers: { 'content-type': 'multipart/form-data; boundary=b' } });
      expect(answer.status).toBe(400);
      expect(await bytesInStore()).toEqual(before);
    });

    /** A form, part by part, as no client would write it. */
    const raw = (...parts: readonly { readonly head: string; readonly body: string }[]) => ({
      body: `${parts.map(({ head, body }) => `--b\r\n${head}\r\n\r\n${body}\r\n`).join('')}--b--\r\n`,
      headers: { 'content-type': 'multipart/form-data; boundary=b' },
    });
    const part = (...headers: string[]) => ({ head: headers.join('\r\n'), body: csv });
    const disposition = (name: string) => `Content-Disposition: form-data; name="file"; filename="${name}"`;

    it.each(['base64', 'quoted-printable'])('in %s are refused with the reason', async (encoding) => {
      const answer = await upload(raw(part(disposition('a.csv'), `Content-Transfer-Encoding: ${encoding}`)));
      const problem = (await answer.json()) as { detail: string };
      expect(problem).toMatchObject({ status: 400, code: 'request.invalid' });
      expect(problem.detail).toContain(encoding);
    });

    it('are taken without what the catalog can not keep of their name and type', async () => {
      const odd = part(disposition('a\0b.csv'), 'Content-Type: text/\0csv');
      await expect(uploaded(raw(odd))).resolves.toMatchObject({ file_name: 'ab.csv', content_type: 'text/csv' });
      const half = part(disposition(`${'x'.repeat(254)}😀.csv`));
      const { file_name: name } = await uploaded(raw(half));
      expect(name?.isWellFormed()).toBe(true);
    });

    it('have not more than a little in front of the file, and in all', async () => {
      const before = await bytesInStore();
      const note = { head: 'Content-Disposition: form-data; name="note"', body: 'x'.repeat(2.1 * 1024 ** 2) };
      const inFront = await upload(raw(note, part(disposition('a.csv'))));
      await expect(inFront.json()).resolves.toMatchObject({ status: 413, code: 'request.too_large' });
      const behind = await upload(raw(part(disposition('a.csv')), note, note));
      await expect(behind.json()).resolves.toMatchObject({ status: 413 });
      expect(await bytesInStore()).toEqual(before);
    });

    it.each([
      ['nothing comes', '', ''],
      ['nothing but fields comes', '--b\r\nContent-Disposition: form-data; name="note"\r\n\r\n', 'x'],
      ['the file stops', `--b\r\n${disposition('a.csv')}\r\n\r\nid,`, ''],
    ])('end with a reason when %s', async (_, start, drip) => {
      const connection = await RawConnection.open(gateway.url);
      const authorization = `Authorization: Bearer ${gateway.tenant.admin.apiKey}`;
      const type = 'Content-Type: multipart/form-data; boundary=b';
      connection.request('POST /v1/files', [authorization, type, 'Content-Length: 100000'], start);
      const dripping = setInterval(() => drip && connection.write(drip), 50);
      const text = await connection.ended(5_000).finally(() => clearInterval(dripping));
      expect(text).toContain('"upload.interrupted"');
      await connection.cutOff();
      expect(await writing()).toEqual([]);
    });

    it('without a boundary are refused', async () => {
      const answer = await upload({ body: 'x', headers: { 'content-type': 'multipart/form-data' } });
      await expect(answer.json()).resolves.toMatchObject({ status: 400, code: 'request.invalid' });
    });
  });

  /** Announces more bytes than it sends, then does something to the connection. */
  async function breakOff(then: 'destroy' | 'stay silent'): Promise<string> {
    const { hostname, port } = new URL(gateway.url);
    const socket = connect(Number(port), hostname);
    let answer = '';
    socket.on('data', (chunk) => (answer += chunk.toString()));
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.write(
      `POST /v1/files HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${gateway.tenant.admin.apiKey}\r\n` +
        'Content-Length: 1000\r\nConnection: close\r\n\r\nid,name\n',
    );
    await eventually('the upload has begun', async () => (await writing()).length === 1);
    if (then === 'destroy') socket.destroy();
    await closed;
    return answer;
  }

  it('whose client goes away leave no row and no bytes', async () => {
    const before = await bytesInStore();
    await breakOff('destroy');
    await eventually('nothing is being written', async () => (await writing()).length === 0);
    expect(await bytesInStore()).toEqual(before);
  });

  it('whose client falls silent are ended with a reason', async () => {
    const before = await bytesInStore();
    const answer = await breakOff('stay silent');
    expect(answer).toContain('upload.interrupted');
    expect(await bytesInStore()).toEqual(before);
  });

  it.each([
    ['raw', []],
    ['in a form', ['Content-Type: multipart/form-data; boundary=b']],
  ])('that say themselves that they are too large are not even begun: %s', async (_, headers) => {
    const connection = await RawConnection.open(gateway.url);
    const authorization = `Authorization: Bearer ${gateway.tenant.admin.apiKey}`;
    const all = [authorization, ...headers, 'Expect: 100-continue', 'Content-Length: 100000000'];
    connection.request('POST /v1/files', all);
    expect(await connection.ended()).toContain('"upload.too_large"');
    expect(connection.statuses).toEqual([413]);
    connection.destroy();
  });

  it('that are refused close their connection, whatever the client does', async () => {
    const connection = await RawConnection.open(gateway.url);
    const authorization = `Authorization: Bearer ${gateway.tenant.admin.apiKey}`;
    connection.request('POST /v1/files', [authorization, 'Transfer-Encoding: chunked']);
    const chunk = `${(100_000).toString(16)}\r\n${'x'.repeat(100_000)}\r\n`;
    for (let sent = 0; sent < 20; sent += 1) connection.write(chunk);
    expect(await connection.ended()).toContain('"upload.too_large"');
    await connection.cutOff(10_000, chunk);
    expect(await writing()).toEqual([]);
  });

  it('are not kept when the store fails', async () => {
    const before = await bytesInStore();
    gateway.store.fail('put', { times: 1 });
    await expect((await upload({ body: csv })).json()).resolves.toMatchObject({
      status: 503,
      code: 'storage.unavailable',
      retryable: true,
    });
    expect(await bytesInStore()).toEqual(before);
    expect(await writing()).toEqual([]);
  });

  it('are listed newest first, page by page, a member only their own', async () => {
    const { admin, member } = await createTenant(gateway.catalog);
    for (const [index, apiKey] of [admin.apiKey, member.apiKey, admin.apiKey].entries()) {
      await uploaded({ body: `file ${index}`, apiKey });
    }
    const list = async (path: string, apiKey: string) => {
      const answer = await gateway.send('GET', path, { apiKey });
      return {
        link: answer.headers.get('link'),
        body: (await answer.json()) as { uploads: UploadBody[]; next_cursor: string },
      };
    };
    const first = await list('/v1/files?limit=2', admin.apiKey);
    expect(first.body).toMatchObject({ has_more: true, uploads: [{}, {}] });
    const next = /<(.*)>; rel="next"/.exec(first.link ?? '')?.[1];
    const second = await list(next ?? '', admin.apiKey);
    expect(second.body).toMatchObject({ has_more: false, next_cursor: null, uploads: [{}] });
    const ids = [...first.body.uploads, ...second.body.uploads].map(({ id }) => id);
    expect(ids).toEqual(ids.toSorted().toReversed());
    expect((await list('/v1/files', member.apiKey)).body.uploads).toHaveLength(1);
    expect((await list('/v1/files?status=consumed', admin.apiKey)).body.uploads).toEqual([]);
    await expect((await gateway.send('GET', '/v1/files?cursor=x')).json()).resolves.toMatchObject({
      code: 'cursor.invalid',
    });
    await expect((await gateway.send('GET', '/v1/files?limit=0')).json()).resolves.toMatchObject({
      code: 'request.invalid',
    });
  });

  it('can be deleted', async () => {
    const { id } = await uploaded({ body: csv });
    expect((await gateway.send('DELETE', `/v1/files/${id}`)).status).toBe(204);
    await expect((await gateway.send('GET', `/v1/files/${id}`)).json()).resolves.toMatchObject({
      code: 'upload.not_found',
    });
    expect((await gateway.send('DELETE', `/v1/files/${id}`)).status).toBe(404);
  });

  it.each(['nonsense', newId('job'), newId('upload')])('that are not there (%s) are not found', async (id) => {
    await expect((await gateway.send('GET', `/v1/files/${id}`)).json()).resolves.toMatchObject({
      code: 'upload.not_found',
    });
  });
});
