// A worker for conversions that converts nothing, as a program: what is left is what the queue and the ledger cost.
//
//   node bench/harness/fleet/empty-worker-program.mjs       DATABASE_URL and REDIS_URL say where; ends with its parent
import { Catalog } from '@millrace/catalog';
import { BullMqEventBus, BullMqServer, parseQueueLocation } from '@millrace/queue';
import { createLogger } from '@millrace/telemetry';

const CONCURRENCY = 2;

const { DATABASE_URL: databaseUrl = '', REDIS_URL } = process.env;
const queueLocation = parseQueueLocation({ databaseUrl, ...(REDIS_URL && { REDIS_URL }) });
const logger = createLogger({ level: 'warn', service: 'empty-worker' });
const catalog = await Catalog.open({ databaseUrl, poolMax: 4, blobGraceMs: 0 });
const events = await BullMqEventBus.open({ queueLocation, logger });
const server = new BullMqServer({
  queues: [{ name: 'convert', concurrency: CONCURRENCY }],
  ledger: catalog.jobs,
  events,
  queueLocation,
  logger,
});
server.addHandler('dataset.convert', async () => undefined);
process.on('disconnect', () => process.exit());
await server.listen((/** @type {Error | undefined} */ error) => {
  if (error) throw error;
  process.send?.('ready');
});
