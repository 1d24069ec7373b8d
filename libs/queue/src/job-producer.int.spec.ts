import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { newId } from '@millrace/domain';
import { eventually } from '@millrace/testing/eventually';
import { RecordingLog } from '../test/recording-log.js';
import { DATASTORES } from '../test/test-datastores.js';
import type { TestDatastore, TestQueue } from '../test/test-queue.js';
import type { AdmittedJob } from './job-message.js';
import { JobProducer } from './job-producer.js';
import { queueBackendAt } from './queue-backend-at.js';

type Three = [AdmittedJob, AdmittedJob, AdmittedJob];

function admitted(kind: string): AdmittedJob {
  return { kind, tenantId: newId('tenant'), jobId: newId('job'), attempt: 1 };
}

describe.each(DATASTORES)('JobProducer on %s', (_, start) => {
  let datastore: TestDatastore;
  let queue: TestQueue;
  let log: RecordingLog;

  beforeAll(() => {
    datastore = start();
  });
  beforeEach(async () => {
    queue = await datastore.createQueue();
    log = new RecordingLog();
  });
  afterAll(async () => {
    await datastore.stop();
  });

  const openProducer = () => JobProducer.open({ queueLocation: queue.location, logger: log });

  it('puts each job into its queue, under the id of the attempt, once', async () => {
    const producer = await openProducer();
    const [convert, persist] = [admitted('dataset.convert'), admitted('result.persist')];
    await producer.send([convert, admitted('dataset.paint'), persist]);
    await producer.send([convert]);
    await producer.close();
    const messageOf = ({ kind, ...fence }: AdmittedJob, name: string): object => ({
      queue: name,
      id: `${fence.jobId}-1`,
      name: kind,
      data: { version: 1, ...fence },
    });
    const messages = await queue.messages();
    expect(messages).toHaveLength(2);
    expect(messages).toEqual(
      expect.arrayContaining([messageOf(convert, 'convert'), messageOf(persist, 'maintenance')]),
    );
    expect(log.lines).toMatchObject([{ fields: { kind: 'dataset.paint' } }]);
  });

  it('sends many at once, in order', async () => {
    const producer = await openProducer();
    const jobs = Array.from({ length: 1_000 }, () => admitted('dataset.convert'));
    await producer.send(jobs);
    await producer.send([]);
    await producer.close();
    expect(await queue.messages()).toMatchObject(jobs.map(({ jobId }) => ({ id: `${jobId}-1` })));
  });

  it('finds the jobs whose message the queue has lost, or has delivered to its end', async () => {
    const producer = await openProducer();
    const [delivered, inHand, waiting] = [1, 2, 3].map(() => admitted('dataset.convert')) as Three;
    const [persist, lost] = [admitted('result.persist'), admitted('dataset.convert')];
    const delivery = Promise.withResolvers<void>();
    const taken: unknown[] = [];
    await producer.send([delivered, inHand]);
    const receive = async (_name: string, data: unknown): Promise<void> => {
      taken.push(data);
      if (taken.length === 2) await delivery.promise;
    };
    const receiver = await queueBackendAt(queue.location).openReceiver({
      queue: 'convert',
      concurrency: 1,
      log,
      receive,
    });
    receiver.run();
    await eventually('the second is in hand', () => taken.length === 2);
    await producer.send([waiting, persist]);
    const jobs = [delivered, inHand, waiting, lost, persist];
    expect(await producer.findLost([...jobs, admitted('dataset.paint')])).toEqual([delivered, lost]);
    delivery.resolve();
    await receiver.close();
    await queue.loseAll();
    expect(await producer.findLost(jobs)).toEqual(jobs);
    await producer.close();
  });

  it('says so when the queue does not take the jobs', async () => {
    const producer = await openProducer();
    await queue.refuseMessages();
    await expect(producer.send([admitted('dataset.convert')])).rejects.toMatchObject({ code: 'service.unavailable' });
    await producer.close();
  });
});
