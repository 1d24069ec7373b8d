import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { UploadBody } from '@millrace/contract';
import { createTenant, eventually, RawConnection, registeredKeys, type TestTenant } from '@millrace/testing';
import { startTestGateway, type GatewayUnderTest } from '../../test/gateway-harness.js';

describe('an upload that carries an Idempotency-Key', () => {
  let gateway: GatewayUnderTest;
  let tenant: TestTenant;
  let key: string;

  beforeAll(async () => {
    gateway = await startTestGateway({ UPLOAD_BYTES_MAX: '1000000' });
  });
  beforeEach(async () => {
    tenant = await createTenant(gateway.catalog);
    key = randomUUID();
  });
  afterAll(() => gateway.stop());

  const upload = (body: string | FormData, headers: Record<string, string> = {}) =>
    gateway.send('POST', '/v1/files', {
      body,
      headers: { 'idempotency-key': key, ...(typeof body === 'string' && { 'content-type': 'text/csv' }), ...headers },
      apiKey: tenant.admin.apiKey,
    });
  const formOf = (content: string, name = 'a.csv') => {
    const form = new FormData();
    form.append('file', new File([content], name, { type: 'text/csv' }));
    return form;
  };
  const uploads = async () => (await gateway.catalog.uploads.list(tenant.tenantId, { limit: 10 })).items;
  const inCatalog = (sql: string) =>
    gateway.catalog.transaction((transaction) => transaction.query(sql, [tenant.tenantId]));
  const bodyOf = async (answer: Response) => (await answer.json()) as UploadBody & { code?: string };

  it('is stored once, and its answer given again', async () => {
    const [first, again] = [await upload('a\n1\n'), await upload('a\n1\n')];
    expect([first.status, again.status]).toEqual([201, 201]);
    expect(['location', 'content-type'].map((name) => again.headers.get(name))).toEqual(
      ['location', 'content-type'].map((name) => first.headers.get(name)),
    );
    expect([first, again].map(({ headers }) => headers.get('idempotency-replayed'))).toEqual([null, 'true']);
    expect(await again.text()).toBe(await first.text());
    expect(await uploads()).toHaveLength(1);
    expect(await registeredKeys(gateway.catalog, tenant)).toHaveLength(1);
  });

  it('is given again although it was deleted since', async () => {
    const { id } = await bodyOf(await upload('a\n1\n'));
    await gateway.catalog.uploads.delete(tenant.tenantId, id as never);
    const again = await upload('a\n1\n');
    expect([again.status, (await bodyOf(again)).id]).toEqual([201, id]);
    expect(await uploads()).toEqual([]);
  });

  it('may be a form, whose boundary is another each time', async () => {
    const first = await upload(formOf('a\n1\n'));
    const again = await upload(formOf('a\n1\n'));
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect((await bodyOf(again)).id).toBe((await bodyOf(first)).id);
    const other = await upload(formOf('a\n2\n'));
    expect([other.status, (await bodyOf(other)).code]).toEqual([422, 'idempotency.key_reused']);
  });

  it.each<[string, string, Record<string, string>]>([
    ['bytes', 'a\n2\n', {}],
    ['media type', 'a\n1\n', { 'content-type': 'text/plain' }],
    ['file name', 'a\n1\n', { 'content-disposition': 'attachment; filename="b.csv"' }],
    ['encoding', 'a\n1\n', { 'content-encoding': 'gzip' }],
  ])('is refused with other %s, which are not stored', async (_, body, headers) => {
    await upload('a\n1\n');
    const other = await upload(body, headers);
    expect([other.status, (await bodyOf(other)).code]).toEqual([422, 'idempotency.key_reused']);
    expect(await uploads()).toHaveLength(1);
    expect(await registeredKeys(gateway.catalog, tenant)).toHaveLength(1);
  });

  it('can be sent again after what was wrong with it', async () => {
    const wrong = await upload('a\n1\n', { 'content-digest': `sha-256=:${'A'.repeat(43)}=:` });
    expect((await bodyOf(wrong)).code).toBe('upload.digest_mismatch');
    expect((await bodyOf(await upload(''))).code).toBe('upload.empty');
    const right = await upload('a\n1\n');
    expect([right.status, right.headers.get('idempotency-replayed')]).toEqual([201, null]);
  });

  it('is told to come again while it is under way, and is free when it breaks off', async () => {
    const connection = await RawConnection.open(gateway.url);
    const headers = [
      `Authorization: Bearer ${tenant.admin.apiKey}`,
      `Idempotency-Key: ${key}`,
      'Content-Type: text/csv',
    ];
    connection.request('POST /v1/files', [...headers, 'Content-Length: 10'], 'a\n');
    await eventually('it is under way', async () => (await registeredKeys(gateway.catalog, tenant)).length === 1);
    const same = await upload('a\n1\n');
    expect([same.status, (await bodyOf(same)).code]).toEqual([409, 'idempotency.in_progress']);
    connection.destroy();
    await eventually('it is taken', async () => (await upload('a\n1\n')).status === 201);
    expect(await uploads()).toHaveLength(1);
  });

  it('is found again when its answer was lost, and compared all the same', async () => {
    const { id } = await bodyOf(await upload('a\n1\n'));
    await inCatalog(
      `UPDATE idempotency_keys SET answer_status = NULL, answer_headers = NULL, answer_body = NULL, lease_until = now()
       WHERE tenant_id = $1`,
    );
    const other = await upload('a\n2\n');
    expect([other.status, (await bodyOf(other)).code]).toEqual([422, 'idempotency.key_reused']);
    const again = await upload('a\n1\n');
    expect([again.status, again.headers.get('location'), (await bodyOf(again)).id]).toEqual([
      ...[201, `/v1/files/${id}`, id],
    ]);
    expect((await upload('a\n1\n')).headers.get('idempotency-replayed')).toBe('true');
    expect(await uploads()).toHaveLength(1);
  });

  it('makes nothing when another request has taken the key meanwhile', async () => {
    const connection = await RawConnection.open(gateway.url);
    const headers = [
      `Authorization: Bearer ${tenant.admin.apiKey}`,
      `Idempotency-Key: ${key}`,
      'Content-Type: text/csv',
    ];
    connection.request('POST /v1/files', [...headers, 'Content-Length: 4'], 'a\n');
    await eventually('it is under way', async () => (await registeredKeys(gateway.catalog, tenant)).length === 1);
    await inCatalog('UPDATE idempotency_keys SET lease_until = now() WHERE tenant_id = $1');
    expect((await upload('a\n1\n')).status).toBe(201);
    connection.write('1\n');
    await connection.until(/ 409 /);
    connection.destroy();
    expect(await uploads()).toHaveLength(1);
    expect((await upload('a\n1\n')).status).toBe(201);
  });
});
