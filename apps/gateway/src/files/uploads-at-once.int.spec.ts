import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createTenant, eventually, RawConnection } from '@millrace/testing';
import { DirectUploadsHarness } from '../../test/direct-uploads-harness.js';
import { startTestGateway, type GatewayUnderTest } from '../../test/gateway-harness.js';

describe('uploads that are under way', () => {
  let gateway: GatewayUnderTest;
  const open: RawConnection[] = [];

  beforeAll(async () => {
    gateway = await startTestGateway({ UPLOADS_MAX: '4' });
  });
  afterAll(async () => {
    for (const connection of open) connection.destroy();
    await gateway.stop();
  });

  const begin = async (apiKey: string): Promise<RawConnection> => {
    const connection = await RawConnection.open(gateway.url);
    open.push(connection);
    connection.request('POST /v1/files', [`Authorization: Bearer ${apiKey}`, 'Content-Length: 10'], '1,a\n');
    return connection;
  };
  const underWay = async (): Promise<number> => {
    const rows = await gateway.catalog.transaction((tx) =>
      tx.query<{ count: string }[]>("SELECT count(*) AS count FROM blobs WHERE status = 'writing'"),
    );
    return Number(rows[0]?.count);
  };

  it('are bounded: half of them for one tenant, the rest for others, and who finds no place is told to come again', async () => {
    const [own, another, third] = [
      gateway.tenant,
      await createTenant(gateway.catalog),
      await createTenant(gateway.catalog),
    ];
    const held = [await begin(own.admin.apiKey), await begin(own.admin.apiKey)];
    await eventually('two are under way', async () => (await underWay()) === 2);
    const refused = await gateway.send('POST', '/v1/files', { body: '2,b\n' });
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, expect.stringMatching(/^[1-9]/)]);
    await expect(refused.json()).resolves.toMatchObject({ code: 'request.too_many', retryable: true });

    held.push(await begin(another.admin.apiKey), await begin(another.admin.apiKey));
    await eventually('four are under way', async () => (await underWay()) === 4);
    const late = await gateway.send('POST', '/v1/files', { body: '2,b\n', apiKey: third.admin.apiKey });
    expect(late.status).toBe(429);

    for (const connection of held) connection.write('2,bcd\n');
    for (const connection of held) await connection.until(/ 201 /);
    expect((await gateway.send('POST', '/v1/files', { body: '2,b\n' })).status).toBe(201);
  });
});

describe('uploads straight to the store that are verified', () => {
  let uploads: DirectUploadsHarness;

  beforeAll(async () => {
    uploads = await DirectUploadsHarness.start({ UPLOADS_MAX: '2' });
  });
  afterAll(() => uploads.stop());

  it('are bounded like those that come in, and can be completed later', async () => {
    const sent = async () => {
      const begun = await uploads.presign({ size_bytes: 1000 });
      return { id: begun.id, parts: await uploads.send(begun, randomBytes(1000)) };
    };
    const [first, second] = [await sent(), await sent()];
    // No other, or one that is let in would wait here, too.
    const key = String((await uploads.directOf(first.id))?.storageKey);
    const held = uploads.proxy.hold(['GetObject'], new RegExp(key));
    const verifying = uploads.complete(first.id, { parts: first.parts });
    await held.arrived;
    const json = { parts: second.parts };
    const refused = await uploads.gateway.send('POST', `/v1/files/${second.id}/complete`, { json });
    const turnedAway = await uploads.gateway.send('POST', '/v1/files', { body: '1\n' });
    held.release();
    await expect(verifying).resolves.toMatchObject({ status: 'pending' });
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, expect.stringMatching(/^[1-9]/)]);
    await expect(refused.json()).resolves.toMatchObject({ code: 'request.too_many' });
    expect(turnedAway.status).toBe(429);
    await expect(uploads.complete(second.id, { parts: second.parts })).resolves.toMatchObject({ status: 'pending' });
  });
});
