import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Upload } from '@millrace/catalog';
import { fileAnalysisSchema } from '@millrace/contract';
import { newId, type Principal } from '@millrace/domain';
import { BlobWriter, objectKeys } from '@millrace/object-store';
import { createDataset } from '@millrace/testing';
import { QueryServiceHarness, type Answer } from '../../test/query-service-harness.js';

const MiB = 1024 ** 2;

describe('file.analyze', () => {
  let harness: QueryServiceHarness;
  let caller: Principal;
  let member: Principal;

  beforeAll(async () => {
    harness = await QueryServiceHarness.start();
    const tenant = await harness.createTenant();
    caller = tenant.admin.principal;
    member = tenant.member.principal;
  });
  afterAll(() => harness.stop());

  async function upload(content: string | Buffer, by = member, expiresInMs = 60_000): Promise<Upload> {
    const { tenantId, userId } = by;
    const { catalog, store } = harness;
    const key = { tenantId, storageKey: objectKeys.upload(tenantId) };
    const body = (async function* () {
      yield Buffer.from(content as string);
    })();
    const blob = await new BlobWriter(store, catalog.blobs, { leaseMs: 60_000 }).write(key, { body });
    return catalog.uploads.commit({ tenantId, userId, blob, contentType: 'text/csv', fileName: 'a.csv', expiresInMs });
  }

  async function analyze({ id }: { id: string }, body?: object, by = member): Promise<Answer> {
    const response = await harness.ask(by, `/v1/files/${id}/analyze`, {
      method: 'POST',
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const answer = JSON.parse(text) as Record<string, unknown>;
    return { status: response.status, headers: response.headers, body: answer, text };
  }

  it('shows what a dataset of the upload would be, and makes nothing', async () => {
    const file = await upload('id;name\n1;Anna\n12345678901234567;\n');
    const { status, body, text } = await analyze(file);
    expect([status, text]).toEqual([200, expect.stringContaining('[[1,"Anna"],["12345678901234567",null]]')]);
    expect(fileAnalysisSchema.parse(body)).toEqual({
      upload_id: file.id,
      format: 'csv',
      compression: 'none',
      encoding: 'utf-8',
      dialect: { delimiter: ';', quote: '"', escape: '"', header: true, skip: 0, comment: '' },
      columns: [
        { name: 'id', type: 'BIGINT', nullable: false },
        { name: 'name', type: 'VARCHAR', nullable: true },
      ],
      complete: true,
      row_count: 2,
      row_estimate: 2,
      sample: { columns: ['id', 'name'], types: ['BIGINT', 'VARCHAR'], rows: expect.anything() },
      warnings: [],
    });
    const { tenantId } = member;
    expect(await harness.catalog.uploads.get(tenantId, file.id)).toMatchObject({ status: 'pending', error: null });
    expect((await harness.catalog.datasets.list(tenantId, { limit: 10 })).items).toEqual([]);
  });

  it('takes format, options and pins', async () => {
    const file = await upload('Zoe~2,50\n');
    const latin = await upload(Buffer.from('Zo\xeb~2,50\n', 'latin1'));
    const options = { delimiter: '~', header: false, decimal_separator: ',', encoding: 'windows-1252' };
    const columns = { column1: { type: 'DECIMAL', precision: 9, scale: 2 } };
    expect((await analyze(latin, { format: 'csv', options, columns })).body).toMatchObject({
      encoding: 'windows-1252',
      sample: { types: ['VARCHAR', 'DECIMAL(9,2)'], rows: [['Zoë', 2.5]] },
    });
    expect((await analyze(file, { format: 'parquet' })).body).toMatchObject({ status: 422, code: 'conversion.failed' });
    expect((await analyze(file, { options: { nope: 1 } })).body).toMatchObject({
      status: 400,
      code: 'request.invalid',
    });
  });

  it('says what is wrong as a conversion would', async () => {
    expect((await analyze(await upload('a,b\n1,2\n3\n'))).body).toMatchObject({
      status: 422,
      code: 'conversion.failed',
      errors: [{ line: 3, text: '3' }],
    });
    expect((await analyze(await upload('a,b\n'))).body).toMatchObject({ status: 400, code: 'conversion.no_rows' });
  });

  it('reads only the first bytes of a large file', async () => {
    const rows = 400_000;
    const file = await upload(`id,text\n${`1,${'x'.repeat(70)}\n`.repeat(rows)}bad\n`);
    expect(file.sizeBytes).toBeGreaterThan(25 * MiB);
    const { body } = await analyze(file);
    expect(body).toMatchObject({
      complete: false,
      row_count: null,
      columns: [
        { name: 'id', type: 'BIGINT', nullable: null },
        { name: 'text', type: 'VARCHAR', nullable: null },
      ],
    });
    expect(Math.abs(Number(body['row_estimate']) / rows - 1)).toBeLessThan(0.05);
    // Neither here nor in the cache.
    expect(await readdir(join(harness.folder, 'engine', 'analyses'))).toEqual([]);
    const cached = await readdir(join(harness.folder, 'engine', 'cache'), { recursive: true });
    expect(cached.filter((name) => name.includes(file.contentHash ?? ''))).toEqual([]);
  });

  it('reads a large Parquet file whole', async () => {
    const { tenantId } = member;
    const sql = 'SELECT i AS id, md5(i::VARCHAR) AS text FROM range(1100000) t(i)';
    const limits = { rowsMax: 1, answerBytesMax: 1_000, resultBytesMax: 1024 * MiB };
    const made = await harness.engine.run(
      { kind: 'query', sql, inputs: [], ...limits },
      { tenantId, deadlineMs: 60_000 },
    );
    const { catalog, store } = harness;
    const key = { tenantId, storageKey: objectKeys.upload(tenantId) };
    const writer = new BlobWriter(store, catalog.blobs, { leaseMs: 60_000 });
    const blob = await writer.writeFile(key, { path: made.filePath });
    expect(blob.sizeBytes).toBeGreaterThan(17 * MiB);
    const file = await catalog.uploads.commit({ tenantId, userId: member.userId, blob, expiresInMs: 60_000 });
    expect((await analyze(file)).body).toMatchObject({ format: 'parquet', row_count: 1_100_000, complete: false });
  });

  it('shows a member nothing of others, an admin all of the tenant, and nobody another tenant', async () => {
    const file = await upload('a\n1\n', caller);
    const missing = { status: 404, code: 'upload.not_found' };
    expect((await analyze(file, undefined, member)).body).toMatchObject(missing);
    expect((await analyze(file, undefined, caller)).body).toMatchObject({ row_count: 1 });
    const { admin } = await harness.createTenant();
    expect((await analyze(file, undefined, admin.principal)).body).toMatchObject(missing);
    expect((await analyze({ id: newId('upload') })).body).toMatchObject(missing);
    expect((await analyze({ id: 'nonsense' })).body).toMatchObject(missing);
  });

  it('knows uploads whose bytes are gone', async () => {
    const used = await upload('a\n1\n', caller);
    await createDataset(harness.catalog, caller, { upload: used });
    // While a conversion reads it, others may.
    expect((await analyze(used, undefined, caller)).body).toMatchObject({ row_count: 1 });
    const late = await upload('a\n1\n', caller, 1);
    await harness.catalog.uploads.expireDue();
    expect((await analyze(late, undefined, caller)).body).toMatchObject({ status: 400, code: 'upload.expired' });
  });

  it('passes on what the store says, and ends at its time', async () => {
    const file = await upload(`a\n${randomBytes(20).toString('hex')}\n`);
    harness.store.fail('link', { times: 1 });
    expect((await analyze(file)).body).toMatchObject({ status: 503, code: 'storage.unavailable' });
    const hasty = await harness.createTenant({ queryTimeoutMs: 1 });
    const by = hasty.admin.principal;
    const slow = await upload('a\n1\n', by);
    expect((await analyze(slow, undefined, by)).body).toMatchObject({ status: 422, code: 'conversion.deadline' });
  });
});
