import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { UploadBody } from '@millrace/contract';
import type { ObjectStore } from '@millrace/domain';
import { S3ObjectStore } from '@millrace/object-store';
import { createTenant, eventually, RawConnection, startS3, type TestTenant } from '@millrace/testing';
import { Upload } from 'tus-js-client';
import { startTestGateway, type GatewayUnderTest } from '../../test/gateway-harness.js';
import { PIECE_BYTES } from './tus-store.js';

const sha256 = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex');
const metadataOf = (fields: Record<string, string>) =>
  Object.entries(fields)
    .map(([name, value]) => `${name} ${Buffer.from(value).toString('base64')}`)
    .join(',');

describe.each(['folder', 's3'] as const)('uploads in pieces to a %s', (kind) => {
  let gateway: GatewayUnderTest;
  let tenant: TestTenant;
  let closeStore: () => Promise<void> = async () => undefined;

  beforeAll(async () => {
    let store: ObjectStore | undefined;
    if (kind === 's3') {
      const s3 = await startS3();
      const bucket = new S3ObjectStore(s3);
      store = bucket;
      closeStore = async () => {
        bucket.close();
        await s3.stop();
      };
      gateway = await startTestGateway({}, undefined, { store, directUploads: bucket.directUploads });
    } else {
      gateway = await startTestGateway();
    }
  });
  beforeEach(async () => {
    tenant = await createTenant(gateway.catalog);
    gateway.store.heal();
  });
  afterAll(async () => {
    await gateway.stop();
    await closeStore();
  });

  const tus = (method: string, path: string, headers: Record<string, string> = {}, body?: string) =>
    gateway.send(method, path, {
      apiKey: tenant.admin.apiKey,
      headers: { 'tus-resumable': '1.0.0', ...headers },
      ...(body !== undefined && { body }),
    });
  const create = (sizeBytes: number, headers: Record<string, string> = {}, body?: string) =>
    tus('POST', '/v1/files/tus', { 'upload-length': String(sizeBytes), ...headers }, body);
  const BYTES = { 'content-type': 'application/offset+octet-stream' };
  const append = (path: string, offset: number, body: string) =>
    tus('PATCH', path, { ...BYTES, 'upload-offset': String(offset) }, body);
  const begun = async (sizeBytes: number, fields: Record<string, string> = {}) => {
    const headers = Object.keys(fields).length > 0 ? { 'upload-metadata': metadataOf(fields) } : undefined;
    const answer = await create(sizeBytes, headers);
    expect(answer.status).toBe(201);
    return answer.headers.get('location') ?? '';
  };
  const offsetOf = async (path: string) => Number((await tus('HEAD', path)).headers.get('upload-offset'));
  const uploadOf = async (path: string): Promise<UploadBody> =>
    (await (await tus('GET', path.replace('/tus/', '/'))).json()) as UploadBody;
  const puts = () => gateway.store.calls.filter(({ call }) => call === 'put').length;
  const codeOf = async (answer: Response) => ((await answer.json()) as { code: string }).code;
  const contentOf = async (path: string) => {
    const { storageKey } = await gateway.catalog.uploads.get(tenant.tenantId, path.split('/').at(-1) as never);
    const chunks: Uint8Array[] = [];
    for await (const chunk of await gateway.store.get(storageKey ?? '')) chunks.push(chunk);
    return Buffer.concat(chunks);
  };
  /** Sends with the client that people use, whose connection breaks when the second piece is on its way. */
  const sendUntilSecond = async (file: Buffer): Promise<string> => {
    const first = gateway.store.hold('put');
    const upload = new Upload(file, {
      endpoint: `${gateway.url}/v1/files/tus`,
      headers: { authorization: `Bearer ${tenant.admin.apiKey}` },
      metadata: { filename: 'large.bin', filetype: 'application/x-large' },
      retryDelays: [],
    });
    upload.start();
    await first.arrived;
    const second = gateway.store.hold('put');
    first.release();
    await second.arrived;
    await upload.abort();
    second.release();
    return upload.url ?? '';
  };
  const resume = (file: Buffer, uploadUrl: string) =>
    new Promise<number[]>((resolve, reject) => {
      const progress: number[] = [];
      const upload = new Upload(file, {
        uploadUrl,
        headers: { authorization: `Bearer ${tenant.admin.apiKey}` },
        retryDelays: [100, 200, 400],
        onError: reject,
        onProgress: (sentBytes) => progress.push(sentBytes),
        onSuccess: () => resolve(progress),
      });
      upload.start();
    });

  it('go on after a cut and with another gateway, and are one file at the end', async () => {
    const file = randomBytes(2.5 * PIECE_BYTES);
    const path = new URL(await sendUntilSecond(file)).pathname;
    await eventually('what came is kept', async () => (await offsetOf(path)) >= PIECE_BYTES);
    const keptBytes = await offsetOf(path);
    expect(await uploadOf(path)).toMatchObject({
      status: 'uploading',
      size_bytes: file.byteLength,
      content_hash: null,
    });

    const another = await gateway.startAnother();
    try {
      const [firstSeen = 0] = await resume(file, another.url + path);
      expect(firstSeen).toBeGreaterThanOrEqual(keptBytes);
    } finally {
      await another.close();
    }
    expect(await uploadOf(path)).toMatchObject({
      ...{ status: 'pending', file_name: 'large.bin', content_type: 'application/x-large', deduplicated: false },
      ...{ size_bytes: file.byteLength, content_hash: `sha-256:${sha256(file)}` },
    });
    expect(sha256(await contentOf(path))).toBe(sha256(file));
    expect(await offsetOf(path)).toBe(file.byteLength);
  });

  it('leave nothing but the file, whose pieces are swept', async () => {
    const path = await begun(6);
    for (const offset of [0, 2, 4]) expect((await append(path, offset, 'ab')).status).toBe(204);
    expect((await contentOf(path)).toString()).toBe('ababab');
    const live = async () =>
      gateway.catalog.transaction<{ count: number }[]>((transaction) =>
        transaction.query(`SELECT count(*) AS count FROM blobs WHERE tenant_id = $1 AND status = 'live'`, [
          tenant.tenantId,
        ]),
      );
    while ((await gateway.catalog.resumableUploads.releasePieces({ limit: 2 })) > 0);
    expect(await live()).toEqual([{ count: 1 }]);
  });

  it('are complete with their only piece, which is not written again', async () => {
    const path = await begun(4, { filename: 'a.csv.gz', filetype: 'text/csv', content_encoding: 'gzip' });
    const before = puts();
    const answer = await append(path, 0, 'a\n1\n');
    expect([answer.status, answer.headers.get('upload-offset'), answer.headers.get('tus-resumable')]).toEqual([
      ...[204, '4', '1.0.0'],
    ]);
    expect(puts() - before).toBe(1);
    expect(await uploadOf(path)).toMatchObject({
      ...{ status: 'pending', file_name: 'a.csv.gz', content_type: 'text/csv', content_encoding: 'gzip' },
      ...{ deduplicated: false, content_hash: `sha-256:${sha256('a\n1\n')}` },
    });
    while ((await gateway.catalog.resumableUploads.releasePieces({ limit: 100 })) > 0);
    expect((await contentOf(path)).toString()).toBe('a\n1\n');
    const again = await begun(4);
    await append(again, 0, 'a\n1\n');
    expect(await uploadOf(again)).toMatchObject({ status: 'pending', deduplicated: true });
  });

  it('may begin with their first bytes', async () => {
    const answer = await create(6, BYTES, 'a\n1');
    const path = answer.headers.get('location') ?? '';
    expect([answer.status, answer.headers.get('upload-offset')]).toEqual([201, '3']);
    expect(path).toMatch(/^\/v1\/files\/tus\/upld/);
    expect(await offsetOf(path)).toBe(3);
    await append(path, 3, '\n2\n');
    expect((await contentOf(path)).toString()).toBe('a\n1\n2\n');
    const whole = await create(3, BYTES, 'abc');
    expect(await uploadOf(whole.headers.get('location') ?? '')).toMatchObject({ status: 'pending' });
  });

  it('say what they can, where they are, and what was said of them', async () => {
    const options = await tus('OPTIONS', '/v1/files/tus');
    expect(options.status).toBe(204);
    expect(options.headers.get('tus-version')).toBe('1.0.0');
    expect(options.headers.get('tus-extension')?.split(',')).toEqual(
      expect.arrayContaining(['creation', 'creation-with-upload', 'expiration', 'checksum', 'termination']),
    );
    expect(options.headers.get('tus-checksum-algorithm')).toContain('sha1');
    expect(options.headers.get('tus-max-size')).toBe(String(50 * 1024 ** 3));
    const path = await begun(10, { filename: 'ü.csv' });
    const head = await tus('HEAD', path);
    const shown = ['upload-offset', 'upload-length', 'upload-metadata', 'cache-control'];
    expect(shown.map((name) => head.headers.get(name))).toEqual([
      ...['0', '10', metadataOf({ filename: 'ü.csv' }), 'no-store'],
    ]);
    expect(head.headers.get('access-control-allow-origin')).toBeNull();
  });

  it.each<[string, () => Promise<Response>, number, string]>([
    ['of another version', () => create(1, { 'tus-resumable': '0.2.0' }), 412, 'tus.version_unsupported'],
    [
      'of no version',
      () => gateway.send('POST', '/v1/files/tus', { apiKey: tenant.admin.apiKey }),
      412,
      'tus.version_unsupported',
    ],
    ['without a size', () => tus('POST', '/v1/files/tus'), 400, 'tus.invalid'],
    [
      'of a size that comes later',
      () => tus('POST', '/v1/files/tus', { 'upload-defer-length': '1' }),
      400,
      'tus.invalid',
    ],
    ['of no byte', () => create(0), 400, 'upload.empty'],
    ['that are too large', () => create(51 * 1024 ** 3), 413, 'upload.too_large'],
    ['with metadata that is none', () => create(1, { 'upload-metadata': 'a b c' }), 400, 'tus.invalid'],
    [
      'in an encoding that is unknown',
      () => create(1, { 'upload-metadata': metadataOf({ content_encoding: 'br' }) }),
      415,
      'upload.encoding_unsupported',
    ],
    [
      'with a hash that is none',
      () => create(1, { 'upload-metadata': metadataOf({ sha256: 'x' }) }),
      400,
      'request.invalid',
    ],
  ])('are refused %s', async (_, ask, status, code) => {
    const answer = await ask();
    expect([answer.status, await codeOf(answer)]).toEqual([status, code]);
    expect(answer.headers.get('tus-resumable')).toBe('1.0.0');
    expect((await gateway.catalog.uploads.list(tenant.tenantId, { limit: 1 })).items).toEqual([]);
  });

  it('take each byte once', async () => {
    const path = await begun(6);
    await append(path, 0, 'abc');
    for (const offset of [0, 2, 4]) {
      const answer = await append(path, offset, 'x');
      expect([answer.status, await codeOf(answer)]).toEqual([409, 'upload.offset_mismatch']);
    }
    const beyond = await append(path, 3, 'defg');
    expect([beyond.status, await codeOf(beyond)]).toEqual([413, 'upload.too_large']);
    expect((await tus('PATCH', path, BYTES, 'x')).status).toBe(400);
    expect(await offsetOf(path)).toBe(3);
    const both = await Promise.all([append(path, 3, 'def'), append(path, 3, 'def')]);
    expect(both.map(({ status }) => status).toSorted()).toEqual([204, expect.any(Number)]);
    expect((await contentOf(path)).toString()).toBe('abcdef');
  });

  it('keep a piece with a checksum when it is right and whole', async () => {
    const path = await begun(6);
    const sumOf = (algorithm: string, bytes: string) =>
      `${algorithm} ${createHash(algorithm).update(bytes).digest('base64')}`;
    const send = (offset: number, body: string, checksum: string) =>
      tus('PATCH', path, { ...BYTES, 'upload-offset': String(offset), 'upload-checksum': checksum }, body);
    expect((await send(0, 'abc', sumOf('sha1', 'abc'))).status).toBe(204);
    const wrong = await send(3, 'def', sumOf('sha256', 'dxf'));
    expect([wrong.status, await codeOf(wrong)]).toEqual([460, 'upload.checksum_mismatch']);
    const unknown = await send(3, 'def', 'crc32 AAAA');
    expect([unknown.status, await codeOf(unknown)]).toEqual([400, 'tus.invalid']);
    expect(await offsetOf(path)).toBe(3);
    expect((await send(3, 'def', sumOf('sha256', 'def'))).status).toBe(204);
    expect((await contentOf(path)).toString()).toBe('abcdef');
  });

  it('are of whom began them, and nobody else’s', async () => {
    const path = await begun(3);
    const other = await createTenant(gateway.catalog);
    for (const apiKey of [other.admin.apiKey, tenant.member.apiKey]) {
      const headers = { 'tus-resumable': '1.0.0', ...BYTES, 'upload-offset': '0' };
      for (const [method, body] of [['HEAD'], ['DELETE'], ['PATCH', 'abc']] as const) {
        const answer = await gateway.send(method, path, { apiKey, headers, ...(body && { body }) });
        expect([method, answer.status]).toEqual([method, 404]);
      }
    }
    expect((await gateway.send('HEAD', path, { apiKey: 'mr_unknown' })).status).toBe(401);
    expect(await offsetOf(path)).toBe(0);
    for (const id of ['upld01jd3x9k2v7q8m4n5p6r7s8t9w', 'nothing', '..%2f']) {
      expect((await tus('HEAD', `/v1/files/tus/${id}`)).status).toBe(404);
    }
  });

  it('can be given up', async () => {
    const path = await begun(6);
    await append(path, 0, 'abc');
    expect((await tus('DELETE', path)).status).toBe(204);
    expect((await tus('HEAD', path)).status).toBe(404);
    expect(await codeOf(await append(path, 3, 'def'))).toBe('upload.not_found');
    expect(await gateway.catalog.resumableUploads.releasePieces({ limit: 100 })).toBeGreaterThan(0);
  });

  it('live on with each piece, and not beyond', async () => {
    const path = await begun(6);
    const id = path.split('/').at(-1);
    const age = (hours: number) =>
      gateway.catalog.transaction((transaction) =>
        transaction.query(`UPDATE uploads SET expires_at = now() + $2 * interval '1 hour' WHERE id = $1`, [id, hours]),
      );
    await age(1);
    const answer = await append(path, 0, 'abc');
    const hoursLeft = (Date.parse(answer.headers.get('upload-expires') ?? '') - Date.now()) / 3_600_000;
    expect(Math.round(hoursLeft)).toBe(24);
    await age(-1);
    expect((await tus('HEAD', path)).status).toBe(404);
    expect(await codeOf(await append(path, 3, 'def'))).toBe('upload.not_found');
    await gateway.catalog.uploads.expireDue();
    expect(await uploadOf(path)).toMatchObject({ status: 'expired' });
  });

  it('are compared with the hash that was said, and not kept when it is another', async () => {
    const good = await begun(6, { sha256: sha256('abcabc') });
    await append(good, 0, 'abc');
    expect((await append(good, 3, 'abc')).status).toBe(204);
    const bad = await begun(6, { sha256: sha256('other') });
    await append(bad, 0, 'abc');
    const answer = await append(bad, 3, 'def');
    expect([answer.status, await codeOf(answer)]).toEqual([422, 'upload.digest_mismatch']);
    expect((await tus('HEAD', bad)).status).toBe(404);
  });

  it('are completed by who asks for them, when they were left before their pieces had become one file', async () => {
    const path = await begun(6);
    await append(path, 0, 'abc');
    const { storageKey } = (
      await gateway.catalog.resumableUploads.listPieces({
        ...{ tenantId: tenant.tenantId, id: path.split('/').at(-1) as never },
      })
    )[0] ?? { storageKey: '' };
    expect(storageKey).not.toBe('');
    gateway.store.fail('get', { times: 1 });
    const failed = await append(path, 3, 'def');
    expect(failed.status).toBe(503);
    expect(await uploadOf(path)).toMatchObject({ status: 'uploading' });
    expect(await offsetOf(path)).toBe(6);
    expect(await uploadOf(path)).toMatchObject({ status: 'pending' });
    expect((await contentOf(path)).toString()).toBe('abcdef');
  });

  /** A request whose body stops in the middle, at a moment when what has come is being written. */
  const stopIn = async (path: string): Promise<RawConnection> => {
    const before = puts();
    const connection = await RawConnection.open(gateway.url);
    connection.request(
      `PATCH ${path}`,
      [
        `Authorization: Bearer ${tenant.admin.apiKey}`,
        ...['Tus-Resumable: 1.0.0', 'Upload-Offset: 0', 'Content-Length: 1000000'],
        'Content-Type: application/offset+octet-stream',
      ],
      'x'.repeat(1000),
    );
    await eventually('it is being written', () => puts() > before);
    return connection;
  };

  it('keep what came before the connection broke, of a piece that is not whole', async () => {
    const path = await begun(1_000_000);
    (await stopIn(path)).destroy();
    await eventually('what came is kept', async () => (await offsetOf(path)) === 1000);
  });

  it('let go of a connection that is silent, for the one that comes after', async () => {
    const path = await begun(1_000_000);
    const silent = await stopIn(path);
    expect(await offsetOf(path)).toBe(1000);
    silent.destroy();
  });
});
