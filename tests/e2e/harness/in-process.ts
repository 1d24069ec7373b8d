import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Catalog } from '@millrace/catalog';
import { parseEnvironment } from '@millrace/config';
import { FolderObjectStore } from '@millrace/object-store';
import { startStandalone } from '@millrace/standalone';
import { logFile } from '@millrace/telemetry';
import { FaultyObjectStore, startPostgres } from '@millrace/testing';
import { type MillraceUnderTest, tenantAt } from './millrace.js';

/**
 * All services in this process, exactly as `npm start` runs them but for the settings given and a store whose calls can be
 * broken, delayed and held.
 */
export async function startInProcess(settings: Readonly<Record<string, string>>): Promise<MillraceUnderTest> {
  const dataFolder = await mkdtemp(join(tmpdir(), 'millrace-e2e-'));
  await chmod(dataFolder, 0o711);
  const { databaseUrl, stop: dropDatabase } = await startPostgres();
  const stores: FaultyObjectStore[] = [];
  const standalone = await startStandalone({
    environment: parseEnvironment({ PORT: '0', ...settings, DATABASE_URL: databaseUrl, DATA_DIR: dataFolder }),
    logStream: logFile(join(dataFolder, 'millrace.log')),
    wrapStore: (store) => {
      const faulty = new FaultyObjectStore(store);
      stores.push(faulty);
      return faulty;
    },
  });
  const { url } = standalone.credentials;
  const catalog = await Catalog.open({ databaseUrl, poolMax: 2, blobGraceMs: 0 });
  return {
    ...{ url, dataFolder, catalog },
    store: stores[0] ?? new FaultyObjectStore(new FolderObjectStore(dataFolder)),
    newTenant: () => tenantAt(url, catalog),
    stop: async () => {
      await standalone.close();
      await catalog.close();
      await dropDatabase();
      await rm(dataFolder, { recursive: true, force: true });
    },
  };
}
