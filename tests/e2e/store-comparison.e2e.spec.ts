import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  createTenant,
  createUpload,
  openCatalog,
  writeBlob,
  type TestCatalog,
  type TestTenant,
} from '@millrace/testing';
import pg from 'pg';
import { compareStoreWithCatalog } from './harness/compare-store-with-catalog.js';

describe('the comparison of the object store with the catalog', () => {
  let open: TestCatalog;
  let tenant: TestTenant;
  let folder: string;

  beforeEach(async () => {
    open = await openCatalog();
    tenant = await createTenant(open.catalog);
    folder = await mkdtemp(join(tmpdir(), 'millrace-store-'));
  });
  afterEach(async () => {
    await open.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const compare = () => compareStoreWithCatalog({ databaseUrl: open.databaseUrl, objects: folder, waitMaxMs: 0 });

  const put = async (key: string, content: string): Promise<void> => {
    const path = join(folder, key);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
  };

  const upload = async (content: string): Promise<string> => {
    const { storageKey } = await createUpload(open.catalog, tenant.admin.principal, { content });
    if (storageKey === null) throw new Error('An upload that was just made has a key.');
    await put(storageKey, content);
    return storageKey;
  };

  const execute = async (sql: string, params: unknown[] = []): Promise<void> => {
    const client = new pg.Client({ connectionString: open.databaseUrl });
    await client.connect();
    await client.query(sql, params);
    await client.end();
  };

  it('finds nothing where all is well: shared bytes, a file that is being written, one that is being deleted', async () => {
    await upload('shared');
    await createUpload(open.catalog, tenant.admin.principal, { content: 'shared' });
    const writing = await writeBlob(open.catalog, tenant.tenantId);
    await put(`${writing.storageKey}.part`, 'half');
    const going = await upload('going');
    await execute('UPDATE uploads SET storage_key = NULL, status = $1 WHERE storage_key = $2', ['expired', going]);
    const deleting = `status = 'deleting', reference_count = 0, due_at = now() + interval '1 minute'`;
    await execute(`UPDATE blobs SET ${deleting} WHERE storage_key = $1`, [going]);
    await rm(join(folder, going));
    await expect(compare()).resolves.toEqual([]);
  });

  it('finds each thing that is wrong', async () => {
    const [lost, short, changed, miscounted, lingering] = [
      await upload('lost'),
      await upload('short'),
      await upload('changed'),
      await upload('miscounted'),
      await upload('lingering'),
    ];
    await rm(join(folder, lost));
    await put(short, 'sho');
    await put(changed, 'CHANGED');
    await execute('UPDATE blobs SET reference_count = 2 WHERE storage_key = $1', [miscounted]);
    await put(`${lingering}.part`, 'half');
    await put('t/stranger', 'whole');
    await put('t/strange.part', 'half');
    const late = await writeBlob(open.catalog, tenant.tenantId);
    await execute(`UPDATE blobs SET due_at = now() - interval '1 minute' WHERE storage_key = $1`, [late.storageKey]);

    const differences = await compare();
    expect(
      new Set(differences.map((text) => text.replace(/SHA-256 [0-9a-f]{64}, not .*$/, 'another SHA-256'))),
    ).toEqual(
      new Set([
        `${lost} is live, but has no object`,
        `${short} has 3 bytes, not 5`,
        `${changed} has the another SHA-256`,
        `${miscounted} (live) counts 2 references, there are 1`,
        `${lingering} is live and still has a .part file`,
        't/stranger has no row',
        't/strange.part has no row',
        `${late.storageKey} is writing beyond its time`,
      ]),
    );
  });
});
