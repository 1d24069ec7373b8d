import { Catalog, type CatalogOptions } from '@millrace/catalog';
import { startPostgres } from './start-postgres.js';

export interface TestCatalog {
  readonly catalog: Catalog;
  readonly databaseUrl: string;
  stop(): Promise<void>;
}

/** A migrated catalog on a fresh database. */
export async function openCatalog(options: Partial<CatalogOptions> = {}): Promise<TestCatalog> {
  const { databaseUrl, stop } = await startPostgres();
  const catalog = await Catalog.open({ databaseUrl, ...options });
  await catalog.migrate();
  return {
    catalog,
    databaseUrl,
    stop: async () => {
      await catalog.close();
      await stop();
    },
  };
}
