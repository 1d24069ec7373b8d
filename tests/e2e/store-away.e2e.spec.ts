import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { Analyst } from './harness/analyst.js';
import { startMillrace, type MillraceUnderTest } from './harness/millrace.js';
import { problemOf } from './harness/problems.js';
import { disposeLeftovers, MillraceOnFolder } from './harness/process.js';
import { storedKeys } from './harness/stored-files.js';

const TEST_MAX_MS = 180_000;

/** Takes the folder of the store away while something is done; an empty one stands there, as below an unmounted disk. */
async function whileAway(dataFolder: string, act: (folder: string) => Promise<void>): Promise<void> {
  const folder = join(dataFolder, 'objects');
  await rename(folder, `${folder}.away`);
  await mkdir(folder);
  try {
    await act(folder);
  } finally {
    await rm(folder, { recursive: true });
    await rename(`${folder}.away`, folder);
  }
}

describe('a store that is away for a moment', () => {
  let millrace: MillraceUnderTest;

  beforeAll(async () => {
    millrace = await startMillrace();
  });
  afterAll(() => millrace.stop());

  it('loses nothing: results stay readable, and what was deleted meanwhile goes afterwards', async () => {
    const { asAdmin, tenantId } = await millrace.newTenant();
    const analyst = new Analyst(asAdmin);
    const get = async (id: string) => (await asAdmin.call('result.get', { path: { id } })).body;
    // Not read, or it would be answered also while the store is away.
    const newResult = (): Promise<string> => analyst.keep('SELECT 1 AS one');
    const kept = await newResult();
    const deleted = await analyst.upload({ bytes: 'n\n1' });
    const [keyOfDeleted = ''] = await storedKeys(millrace.store, `t/${tenantId}/uploads/`);
    await whileAway(millrace.dataFolder, async () => {
      await expect(problemOf(get(kept))).resolves.toMatchObject({ status: 503, code: 'storage.unavailable' });
      await expect(analyst.refusedSql(`FROM results.${kept}`)).resolves.toMatchObject({ code: 'storage.unavailable' });
      await expect(problemOf(analyst.upload({ bytes: 'a\n1' }))).resolves.toMatchObject({
        code: 'storage.unavailable',
      });
      await asAdmin.call('file.delete', { path: { id: deleted.id } });
      await eventually('its deletion was tried', async () => {
        const blob = await millrace.catalog.blobs.find({ tenantId, storageKey: keyOfDeleted });
        return blob?.status === 'deleting' && blob.error === 'storage.unavailable';
      });
    });
    await expect(get(kept)).resolves.toMatchObject({ status: 'ready', rows: [[1]] });
    await expect(analyst.rows(`FROM results.${kept}`)).resolves.toEqual([[1]]);
    await eventually('the deleted one has gone', async () => {
      const known = await millrace.catalog.blobs.find({ tenantId, storageKey: keyOfDeleted });
      return known === undefined && (await millrace.store.find(keyOfDeleted)) === undefined;
    });
  });
});

describe('npm start without the disk of the store', () => {
  afterEach(disposeLeftovers);

  it(
    'does not begin a new store, and says how to go on',
    () =>
      MillraceOnFolder.use(async (millrace) => {
        const first = await millrace.start();
        const source = { inline: { format: 'csv' as const, content: 'n\n1\n2' } };
        await first.asAdmin.call('dataset.create', { body: { label: 'Kept', source } });
        first.signal('SIGTERM');
        await first.end();

        await whileAway(millrace.dataFolder, async (folder) => {
          const refused = millrace.spawn();
          await expect(refused.end()).resolves.toEqual({ code: 1, signal: null });
          expect(refused.complaints).toContain(`${folder} is empty, but the catalog knows of files in it`);
          expect(refused.complaints).toContain(`touch ${join(folder, '.millrace-store')}`);
          // What the message advises when the files are lost.
          await writeFile(join(folder, '.millrace-store'), '');
          const anew = await millrace.start();
          anew.signal('SIGTERM');
          await anew.end();
        });

        const second = await millrace.start();
        const { body } = await second.asAdmin.call('query.run', { body: { sql: 'SELECT sum(n) FROM datasets.kept' } });
        expect(body.rows).toEqual([[3]]);
      }),
    TEST_MAX_MS,
  );
});
