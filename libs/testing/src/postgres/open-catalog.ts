import { Catalog, type CatalogOptions } from '@millrace/catalog';
import { startPostgres } from './start-postgres.js';

const WARM_CONNECTIONS = 8;

export interface TestCatalog {
  readonly catalog: Catalog;
  readonly databaseUrl: string;
  stop(): Promise<void>;
}

/** A migrated catalog on a fresh database. */
export async function openCatalog(options: Partial<CatalogOptions> = {}): Promise<TestCatalog> {
  const { databaseUrl, stop } = await startPostgres();
  const catalog = await Catalog.open({ databaseUrl, blobGraceMs: 0, ...options });
  await catalog.migrate();
  await warmUp(catalog);
  return {
    catalog,
    databaseUrl,
    stop: async () => {
      await catalog.close();
      await stop();
    },
  };
}

/** Opens the pool's connections, so that what a test starts at once also runs at once. */
async function warmUp(catalog: Catalog): Promise<void> {
  const busy = Array.from({ length: WARM_CONNECTIONS }, () =>
    catalog.transaction((transaction) => transaction.query('SELECT pg_sleep(0.05)')),
  );
  await Promise.all(busy);
}
