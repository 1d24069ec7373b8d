import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type DomainEvent, newId } from '@millrace/domain';
import { eventually } from '@millrace/testing/eventually';
import { RecordingLog } from '../test/recording-log.js';
import { DATASTORES } from '../test/test-datastores.js';
import type { TestDatastore, TestQueue } from '../test/test-queue.js';
import { BullMqEventBus } from './event-bus.bullmq.js';
import { queueBackendAt } from './queue-backend-at.js';

let queue: TestQueue;
let log: RecordingLog;
let open: BullMqEventBus[];

async function openBus(): Promise<BullMqEventBus> {
  const bus = await BullMqEventBus.open({ queueLocation: queue.location, logger: log });
  open.push(bus);
  return bus;
}

function jobEnded(): DomainEvent & { type: 'job.ended' } {
  return { type: 'job.ended', tenantId: newId('tenant'), jobId: newId('job'), status: 'failed' };
}

describe.each(DATASTORES)('BullMqEventBus on %s', (_, start) => {
  let datastore: TestDatastore;

  beforeAll(() => {
    datastore = start();
  });
  beforeEach(async () => {
    queue = await datastore.createQueue();
    log = new RecordingLog();
    open = [];
  });
  afterEach(async () => {
    await Promise.all(open.map((bus) => bus.close()));
  });
  afterAll(async () => {
    await datastore.stop();
  });

  it('tells every instance, the own included, and only who asked for the type', async () => {
    const [here, there] = await Promise.all([openBus(), openBus()]);
    const heard: unknown[][] = [[], [], []];
    await here.subscribe('job.ended', (event) => heard[0]?.push(event));
    await there.subscribe('job.ended', (event) => heard[1]?.push(event));
    await there.subscribe('result.settled', (event) => heard[2]?.push(event));
    const event = jobEnded();
    await here.publish(event);
    await eventually('both have heard', () => heard[0]?.length === 1 && heard[1]?.length === 1);
    expect(heard).toEqual([[event], [event], []]);
    // What nobody listens for goes nowhere.
    expect(await queue.topics()).toEqual(['events.job.ended', 'events.result.settled']);
  });

  it('carries every type of event', async () => {
    const bus = await openBus();
    const tenantId = newId('tenant');
    const events: DomainEvent[] = [
      jobEnded(),
      { type: 'result.settled', tenantId, resultId: newId('result'), status: 'ready' },
      { type: 'query.cancel_requested', tenantId, queryRunId: newId('queryRun') },
      { type: 'job.cancel_requested', tenantId, jobId: newId('job') },
    ];
    const heard: DomainEvent[] = [];
    for (const { type } of events) await bus.subscribe(type, (event) => heard.push(event));
    for (const event of events) await bus.publish(event);
    await eventually('all are heard', () => heard.length === events.length);
    expect(heard).toEqual(events);
  });

  it('stops telling a listener that has left, and spares the others one that throws', async () => {
    const bus = await openBus();
    const heard: string[] = [];
    const leave = await bus.subscribe('job.ended', () => heard.push('left'));
    await bus.subscribe('job.ended', () => {
      throw new Error('a bad listener');
    });
    await bus.subscribe('job.ended', () => heard.push('stayed'));
    leave();
    await bus.publish(jobEnded());
    await eventually('one has heard', () => heard.length > 0);
    expect(heard).toEqual(['stayed']);
    expect(log.has('a listener of events failed')).toBe(true);
  });

  it('drops what is no event', async () => {
    const bus = await openBus();
    const heard: DomainEvent[] = [];
    await bus.subscribe('job.ended', (event) => heard.push(event));
    const other = await queueBackendAt(queue.location).openBroadcast(log);
    await other.publish('events.job.ended', { type: 'job.ended', status: 'painted' });
    await other.publish('events.job.ended', 'hello');
    await other.close();
    const event = jobEnded();
    await bus.publish(event);
    await eventually('the good one is heard', () => heard.length > 0);
    expect(heard).toEqual([event]);
    expect(log.lines.filter(({ message }) => message.includes('unknown form'))).toHaveLength(2);
  });

  it('hears again after its connections were lost', async () => {
    const [here, there] = await Promise.all([openBus(), openBus()]);
    const heard: DomainEvent[] = [];
    const leave = await there.subscribe('job.ended', (event) => {
      heard.push(event);
      leave();
    });
    await queue.breakConnections();
    await eventually('an event is heard', async () => {
      await here.publish(jobEnded());
      return heard.length > 0;
    });
    expect(heard).toMatchObject([{ type: 'job.ended' }]);
  });

  it('does not throw when an event can not be sent', async () => {
    const bus = await openBus();
    await bus.close();
    await bus.publish(jobEnded());
    expect(log.has('an event was not sent')).toBe(true);
  });

  it('says whether its datastore answers', async () => {
    const bus = await openBus();
    await expect(bus.ping()).resolves.toBeUndefined();
    await bus.close();
    await expect(bus.ping()).rejects.toMatchObject({
      code: 'service.unavailable',
      message: 'The queue does not answer.',
    });
  });
});
