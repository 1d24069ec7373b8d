import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { newId } from '@millrace/domain';
import { RecordingLog } from '../test/recording-log.js';
import { TestPostgres } from '../test/test-postgres.js';
import type { AdmittedJob } from './job-message.js';
import { JobProducer } from './job-producer.js';
import { migrateQueue } from './queue-backend.js';

let postgres: TestPostgres;
let databaseUrl: string;

beforeAll(() => {
  postgres = new TestPostgres();
});
beforeEach(async () => {
  databaseUrl = await postgres.createDatabase();
});
afterAll(async () => {
  await postgres.stop();
});

function admitted(kind: string): AdmittedJob {
  return { kind, tenantId: newId('tenant'), jobId: newId('job'), attempt: 1 };
}

async function queued(): Promise<unknown[]> {
  const select = 'SELECT queue, id, name, data, max_attempts FROM bullmq.job ORDER BY seq';
  return postgres.withClient(databaseUrl, async (client) => (await client.query(select)).rows);
}

describe('JobProducer', () => {
  it('puts each job into its queue, under the id of the attempt, once', async () => {
    const log = new RecordingLog();
    const producer = await JobProducer.open({ databaseUrl, logger: log });
    const [convert, persist] = [admitted('dataset.convert'), admitted('result.persist')];
    await producer.send([convert, admitted('dataset.paint'), persist]);
    await producer.send([convert]);
    await producer.close();
    const rowOf = ({ kind, ...fence }: AdmittedJob, queue: string): object => ({
      queue,
      id: `${fence.jobId}-1`,
      name: kind,
      data: { version: 1, ...fence },
      max_attempts: 1,
    });
    const rows = await queued();
    expect(rows).toHaveLength(2);
    expect(rows).toEqual(expect.arrayContaining([rowOf(convert, 'convert'), rowOf(persist, 'maintenance')]));
    expect(log.lines).toMatchObject([{ fields: { kind: 'dataset.paint' } }]);
  });

  it('does not wait for the disk', async () => {
    await postgres.withClient(databaseUrl, (client) =>
      client.query(`
        CREATE TABLE seen AS SELECT ''::text AS commits LIMIT 0;
        CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
          INSERT INTO public.seen VALUES (current_setting('synchronous_commit')); RETURN NEW;
        END $$;
        CREATE TRIGGER note AFTER INSERT ON bullmq.job FOR EACH ROW EXECUTE FUNCTION note();
        DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = on', current_database()); END $$;
      `),
    );
    const producer = await JobProducer.open({ databaseUrl, logger: new RecordingLog() });
    await producer.send([admitted('dataset.convert')]);
    await producer.close();
    const { rows } = await postgres.withClient(databaseUrl, (client) => client.query('SELECT commits FROM seen'));
    expect(rows).toEqual([{ commits: 'off' }]);
  });

  it('sends many at once, in order', async () => {
    const producer = await JobProducer.open({ databaseUrl, logger: new RecordingLog() });
    const jobs = Array.from({ length: 1_000 }, () => admitted('dataset.convert'));
    await producer.send(jobs);
    await producer.send([]);
    await producer.close();
    expect(await queued()).toMatchObject(jobs.map(({ jobId }) => ({ id: `${jobId}-1` })));
  });

  it('says so when the queue does not take the jobs', async () => {
    const producer = await JobProducer.open({ databaseUrl, logger: new RecordingLog() });
    await postgres.withClient(databaseUrl, (client) => client.query('DROP SCHEMA bullmq CASCADE'));
    await expect(producer.send([admitted('dataset.convert')])).rejects.toMatchObject({ code: 'service.unavailable' });
    await producer.close();
  });

  it('does not open without the tables of the queue', async () => {
    const empty = await postgres.createEmptyDatabase();
    await expect(JobProducer.open({ databaseUrl: empty, logger: new RecordingLog() })).rejects.toThrow();
  });
});

describe('migrateQueue', () => {
  it('may run again, and from several processes at once', async () => {
    const empty = await postgres.createEmptyDatabase();
    await Promise.all([migrateQueue(empty), migrateQueue(empty), migrateQueue(databaseUrl)]);
    const producer = await JobProducer.open({ databaseUrl: empty, logger: new RecordingLog() });
    await expect(producer.close()).resolves.toBeUndefined();
  });
});
