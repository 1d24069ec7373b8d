import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { text } from 'node:stream/consumers';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newId } from '@millrace/domain';
import { BreakingProxy, type BreakingPoint } from '@millrace/testing';
import { eventually } from '@millrace/testing/eventually';
import { RecordingLog } from '../test/recording-log.js';
import { TestPostgres } from '../test/test-postgres.js';
import { Bench, converter } from '../test/worker-app.js';
import { BullMqEventBus } from './event-bus.bullmq.js';
import { JobProducer } from './job-producer.js';
import { migrateQueue } from './migrate-queue.js';

const BUILT = join(createRequire(import.meta.url).resolve('@millrace/queue'), '../queue-backend-at.js');

/** A process that sends and receives one message, trying again whatever fails: as services do. */
const PROGRAM = `
import { queueBackendAt } from ${JSON.stringify(pathToFileURL(BUILT).href)};
const log = { info: () => {}, warn: () => {}, error: () => {} };
const backend = queueBackendAt({ kind: 'postgres', databaseUrl: process.argv[1] });
async function until(act) {
  for (;;) {
    try { return await act(); } catch { await new Promise((resolve) => setTimeout(resolve, 20)); }
  }
}
const received = Promise.withResolvers();
const heard = Promise.withResolvers();
const receive = async () => received.resolve();
const sender = await until(() => backend.openSender(['convert'], log));
const receiver = await until(() => backend.openReceiver({ queue: 'convert', concurrency: 1, log, receive }));
receiver.run();
const broadcast = await until(() => backend.openBroadcast(log));
await until(() => broadcast.subscribe('topic', () => heard.resolve()));
const opts = { attempts: 1, removeOnComplete: { age: 60 }, removeOnFail: { age: 60 } };
await until(() => sender.addBulk('convert', [{ name: 'n', data: {}, opts: { ...opts, jobId: 'a-1' } }]));
await received.promise;
const again = setInterval(() => broadcast.publish('topic', {}).catch(() => {}), 200);
await heard.promise;
clearInterval(again);
await Promise.all([broadcast.close(), receiver.close(), sender.close()]);
`;

/** After an outage a worker pauses for 5 s, then looks every 5 s. */
const LOOK_MS = 30_000;

let postgres: TestPostgres;

beforeAll(() => {
  postgres = new TestPostgres();
});
afterAll(async () => {
  await postgres.stop();
});

describe('a connection that Postgres ends', () => {
  /** After the first answer a connection is there, and nobody has asked anything yet; after the second somebody has. */
  const moments: BreakingPoint[] = [1, 2, 3, 4].flatMap((connection) => [
    { connection, answer: 1, how: 'told' },
    { connection, answer: 2, how: 'told' },
    { connection, answer: 2, how: 'reset' },
  ]);

  it.each(moments)('ends no process: connection $connection, after answer $answer, $how', async (point) => {
    const { location } = await postgres.createQueue();
    const proxy = await BreakingProxy.start(location.databaseUrl, point);
    const program = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM, proxy.databaseUrl], {
      stdio: ['ignore', 'inherit', 'pipe'],
    });
    try {
      const [complaints, [code]] = await Promise.all([text(program.stderr), once(program, 'exit')]);
      expect({ code, complaints, hasBroken: proxy.hasBroken }).toEqual({ code: 0, complaints: '', hasBroken: true });
    } finally {
      program.kill('SIGKILL');
      await proxy.stop();
    }
  });
});

describe('the queue on Postgres', () => {
  it('does not wait for the disk', async () => {
    const queue = await postgres.createQueue();
    await queue.query(`
      CREATE TABLE seen AS SELECT ''::text AS commits LIMIT 0;
      CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO public.seen VALUES (current_setting('synchronous_commit')); RETURN NEW;
      END $$;
      CREATE TRIGGER note AFTER INSERT ON bullmq.job FOR EACH ROW EXECUTE FUNCTION note();
      DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = on', current_database()); END $$;
    `);
    const producer = await JobProducer.open({ queueLocation: queue.location, logger: new RecordingLog() });
    await producer.send([{ kind: 'dataset.convert', tenantId: newId('tenant'), jobId: newId('job'), attempt: 1 }]);
    await producer.close();
    expect(await queue.query('SELECT commits FROM seen')).toEqual([{ commits: 'off' }]);
  });

  it('does not open without its tables', async () => {
    const { location: queueLocation } = await postgres.createEmptyDatabase();
    const bench = await Bench.open((await postgres.createQueue()).location);
    const logger = new RecordingLog();
    await expect(JobProducer.open({ queueLocation, logger })).rejects.toThrow();
    await expect(BullMqEventBus.open({ queueLocation, logger })).rejects.toThrow();
    await expect(bench.startWorker([converter(async () => undefined)], { queueLocation })).rejects.toThrow();
    await bench.close();
  });

  it('may be migrated again, and from several processes at once', async () => {
    const [{ location: queueLocation }, migrated] = [
      await postgres.createEmptyDatabase(),
      await postgres.createQueue(),
    ];
    await Promise.all([queueLocation, queueLocation, migrated.location].map(migrateQueue));
    const producer = await JobProducer.open({ queueLocation, logger: new RecordingLog() });
    await expect(producer.close()).resolves.toBeUndefined();
  });

  it('that refused connections for a while leaves a worker that still looks by itself', async () => {
    const queue = await postgres.createQueue();
    const bench = await Bench.open(queue.location);
    await bench.startWorker([converter(async () => undefined)]);
    await bench.send();
    await eventually('it has ended', () => bench.ended.length === 1);
    await queue.refuseConnections(() =>
      eventually('the worker has met a refusal', () =>
        bench.log.lines.some(({ fields }) => JSON.stringify(fields).includes('not currently accepting connections')),
      ),
    );
    await eventually('the worker listens again', () => queue.isListening('convert'), LOOK_MS);
    // A message that nobody is notified of, such as one whose notification fell into the outage.
    await queue.query(`UPDATE bullmq.job SET state = 'waiting'`);
    await eventually('it was found', () => bench.log.has('a stale delivery was dropped'), LOOK_MS);
    await bench.close();
  });
});
