/**
 * A worker in a process of its own, which stops at a certain point and says so: there it can be killed. Runs what was
 * built. Its one argument is JSON: `{ databaseUrl, folder, stopAt }`.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Catalog } from '@millrace/catalog';
import { parseEnvironment } from '@millrace/config';
import { startConvertWorker } from '@millrace/convert-worker';
import { FolderObjectStore } from '@millrace/object-store';
import { BullMqEventBus } from '@millrace/queue';
import { createLogger, Registry } from '@millrace/telemetry';

const { databaseUrl, folder, stopAt } = JSON.parse(process.argv[2]);
const queueLocation = { kind: 'postgres', databaseUrl };
const logger = createLogger({ level: 'error', service: 'killable-worker' });
const catalog = await Catalog.open({ databaseUrl, blobGraceMs: 0 });
const store = await new FolderObjectStore(join(folder, 'objects')).open();

const stop = () => {
  process.send('stopped');
  return new Promise(() => undefined);
};

async function* halfOf(path) {
  const bytes = await readFile(path);
  yield bytes.subarray(0, bytes.length / 2);
  await stop();
}

const STOPS = {
  fetched: () => {
    const link = store.link.bind(store);
    store.link = async (...given) => {
      await link(...given);
      await stop();
    };
  },
  'half stored': () => {
    store.putFile = (key, path, options) => store.put(key, halfOf(path), options);
  },
  stored: () => {
    catalog.versions.commitReady = stop;
  },
};

STOPS[stopAt]();
await startConvertWorker({
  environment: parseEnvironment({ LEASE_MS: '1000', CONVERT_MEMORY_BYTES: '268435456' }),
  queueLocation,
  catalog,
  store,
  events: await BullMqEventBus.open({ queueLocation, logger }),
  logger,
  metrics: new Registry(),
  engineFolder: join(folder, 'engine'),
});
