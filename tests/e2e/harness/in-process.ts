import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chmod } from 'node:fs/promises';
import { Catalog } from '@millrace/catalog';
import { parseEnvironment } from '@millrace/config';
import { MillraceClient } from '@millrace/contract';
import { FolderObjectStore } from '@millrace/object-store';
import { startStandalone } from '@millrace/standalone';
import { logFile } from '@millrace/telemetry';
import { createTenant, FaultyObjectStore, startPostgres, type TestTenant } from '@millrace/testing';

/** Short enough that a test can wait for what outlives its lease, long enough for a busy machine. */
const SETTINGS = {
  PORT: '0',
  LEASE_MS: '3000',
  SWEEP_INTERVAL_MS: '200',
  DELETION_GRACE_MS: '1500',
  DRAIN_MS: '5000',
  DATABASE_POOL_MAX: '6',
};

export interface MillraceUnderTest {
  readonly url: string;
  readonly dataFolder: string;
  /** The catalog behind the services, to look at what they wrote and to make tenants. */
  readonly catalog: Catalog;
  /** The store of all services: faults can be put into it. */
  readonly store: FaultyObjectStore;
  /** A tenant of its own, with clients for its admin and its member. */
  newTenant(): Promise<TenantUnderTest>;
  stop(): Promise<void>;
}

export interface TenantUnderTest extends TestTenant {
  readonly asAdmin: MillraceClient;
  readonly asMember: MillraceClient;
}

/**
 * All services in this process, on a database and a folder of their own, exactly as `npm start` runs them but for the
 * settings given and a store whose calls can be broken, delayed and held.
 */
export async function startMillrace(variables: Record<string, string> = {}): Promise<MillraceUnderTest> {
  const dataFolder = await mkdtemp(join(tmpdir(), 'millrace-e2e-'));
  await chmod(dataFolder, 0o711);
  const { databaseUrl, stop: dropDatabase } = await startPostgres();
  const stores: FaultyObjectStore[] = [];
  const standalone = await startStandalone({
    environment: parseEnvironment({ ...SETTINGS, DATABASE_URL: databaseUrl, DATA_DIR: dataFolder, ...variables }),
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
    newTenant: async () => {
      const tenant = await createTenant(catalog);
      const client = (apiKey: string) => new MillraceClient({ url, apiKey });
      return { ...tenant, asAdmin: client(tenant.admin.apiKey), asMember: client(tenant.member.apiKey) };
    },
    stop: async () => {
      await standalone.close();
      await catalog.close();
      await dropDatabase();
      await rm(dataFolder, { recursive: true, force: true });
    },
  };
}
