import { afterEach, describe, expect, it } from '@jest/globals';
import { RedisCluster, RedisSentinel, RedisServer, SilencingProxy } from '@millrace/testing';
import { eventually } from '@millrace/testing/eventually';
import { RecordingLog } from '../test/recording-log.js';
import { Bench, converter, convertPayload } from '../test/worker-app.js';
import { BullMqEventBus } from './event-bus.bullmq.js';
import { JobProducer } from './job-producer.js';
import { parseQueueLocation } from './parse-queue-location.js';

/** Longer than a probe and its time limit, and than a cluster takes to agree that a node is back. */
const RECOVERY_MS = 60_000;
const RECOVERY_TEST_MS = 3 * RECOVERY_MS;

/** What a test has opened; the last goes first. */
const opened: { stop(): Promise<void> }[] = [];

afterEach(async () => {
  for (const each of opened.splice(0).toReversed()) await each.stop();
});

function stoppedAfter<T extends { stop(): Promise<void> }>(started: T): T {
  opened.push(started);
  return started;
}

function at(url: string) {
  return parseQueueLocation({ REDIS_URL: url, databaseUrl: '' });
}

async function openBench(url: string): Promise<Bench> {
  const bench = await Bench.open(at(url));
  stoppedAfter({ stop: () => bench.close() });
  return bench;
}

/** Sends a conversion as a dispatcher does, again until it is taken, and waits until it has succeeded. */
async function goesThrough(bench: Bench): Promise<void> {
  const fence = bench.ledger.admit({ kind: 'dataset.convert', payload: convertPayload() });
  const isTaken = () =>
    bench.producer.send([{ kind: 'dataset.convert', ...fence }]).then(
      () => true,
      () => false,
    );
  await eventually('the queue takes a job', isTaken, RECOVERY_MS);
  await eventually('it succeeds', () => bench.ledger.get(fence.jobId).status === 'succeeded', RECOVERY_MS);
}

/** The end of a job is told to everybody again, some time after an outage. */
async function isHeard(bench: Bench): Promise<void> {
  const ended = bench.ended.length;
  await eventually(
    'the end of a job is told',
    async () => {
      await goesThrough(bench);
      return bench.ended.length > ended;
    },
    RECOVERY_MS,
  );
}

describe('Redis', () => {
  it('that restarts without its data is found again by senders, workers and listeners', async () => {
    const redis = stoppedAfter(await RedisServer.start());
    const bench = await openBench(redis.url);
    await bench.startWorker([converter(async () => undefined)]);
    await goesThrough(bench);
    await redis.kill();
    await redis.restart();
    await goesThrough(bench);
    await isHeard(bench);
    expect(bench.ended.at(-1)).toMatchObject({ status: 'succeeded' });
  });

  it('that is away is told to whoever sends, at once, and not to the log again and again', async () => {
    const redis = stoppedAfter(await RedisServer.start());
    const bench = await openBench(redis.url);
    await bench.startWorker([converter(async () => undefined)]);
    await goesThrough(bench);
    await redis.kill();
    for (let tries = 0; tries < 20; tries += 1) {
      await expect(bench.send()).rejects.toMatchObject({ code: 'service.unavailable' });
    }
    await expect(bench.bus.ping()).rejects.toThrow();
    await eventually('the worker has noticed', () => bench.log.has('the queue reports errors'));
    await redis.restart();
    await goesThrough(bench);
    expect(bench.log.lines.length).toBeLessThan(10);
  });

  it('that is away keeps nobody from closing', async () => {
    const redis = stoppedAfter(await RedisServer.start());
    const bench = await Bench.open(at(redis.url));
    await bench.startWorker([converter(async () => undefined)]);
    await goesThrough(bench);
    await redis.kill();
    await eventually('the worker has noticed', () => bench.log.has('the queue reports errors'));
    await bench.close();
    expect(bench.log.has('the queue did not close in time')).toBe(false);
  });

  it('that loses everything ends no attempt, and none twice', async () => {
    const redis = stoppedAfter(await RedisServer.start());
    const bench = await openBench(redis.url);
    const gate = Promise.withResolvers<void>();
    const runs: number[] = [];
    await bench.startWorker([
      converter(async (_, { fence }) => {
        runs.push(fence.attempt);
        await gate.promise;
      }),
    ]);
    const fence = await bench.send();
    await eventually('it runs', () => runs.length === 1);
    await redis.run('FLUSHALL');
    // Whoever finds the message lost sends it again.
    await bench.producer.send([{ kind: 'dataset.convert', ...fence }]);
    await eventually('the second delivery was dropped', () => bench.log.has('a stale delivery was dropped'));
    gate.resolve();
    await eventually('it has succeeded', () => bench.ledger.get(fence.jobId).status === 'succeeded');
    expect(runs).toEqual([1]);
    await goesThrough(bench);
    expect(bench.log.lines.length).toBeLessThan(5);
  });

  it(
    'behind a network that has gone silent is reached through another connection',
    async () => {
      const redis = stoppedAfter(await RedisServer.start());
      const proxy = stoppedAfter(await SilencingProxy.start(redis.port));
      const bench = await openBench(`redis://127.0.0.1:${proxy.port}`);
      await bench.startWorker([converter(async () => undefined)]);
      await goesThrough(bench);
      expect(proxy.silence()).toBe(5);
      await goesThrough(bench);
      await isHeard(bench);
      expect(bench.ended.at(-1)).toMatchObject({ status: 'succeeded' });
    },
    RECOVERY_TEST_MS,
  );

  it(
    'behind a network that takes connections and then goes silent is reached through others',
    async () => {
      const redis = stoppedAfter(await RedisServer.start());
      const proxy = stoppedAfter(await SilencingProxy.start(redis.port));
      const bench = await openBench(`redis://127.0.0.1:${proxy.port}`);
      await bench.startWorker([converter(async () => undefined)]);
      await goesThrough(bench);
      proxy.isSilent = true;
      await redis.kill();
      await eventually('all have connected again', () => proxy.silentCount >= 5);
      await redis.restart();
      proxy.isSilent = false;
      await goesThrough(bench);
      await isHeard(bench);
    },
    RECOVERY_TEST_MS,
  );

  it('that may throw messages away is complained of', async () => {
    const redis = stoppedAfter(await RedisServer.start({ args: ['--maxmemory-policy', 'allkeys-lru'] }));
    const log = new RecordingLog();
    const bus = await BullMqEventBus.open({ queueLocation: at(redis.url), logger: log });
    await bus.close();
    expect(log.lines).toMatchObject([{ fields: { policy: 'allkeys-lru' } }]);
    expect(log.lines[0]?.message).toContain('set maxmemory-policy to noeviction');
  });

  it('that does not answer, or lets nobody in, is told with the reason, without the password', async () => {
    const redis = stoppedAfter(await RedisServer.start());
    await redis.run('CONFIG', 'SET', 'requirepass', 'right');
    const open = (url: string) => JobProducer.open({ queueLocation: at(url), logger: new RecordingLog() });
    const address = `127.0.0.1:${redis.port}`;
    const producer = await open(`redis://:right@${address}`);
    await producer.close();
    await expect(open(`redis://:secret@${address}`)).rejects.toThrow(/^Redis does not answer: (?!.*secret).*WRONGPASS/);
    await expect(open(`redis://${address}`)).rejects.toThrow('NOAUTH');
    await redis.kill();
    await expect(open(`redis://:right@${address}`)).rejects.toThrow('ECONNREFUSED');
    await expect(open(`redis+cluster://${address}`)).rejects.toThrow('Redis does not answer');
    await expect(open(`redis+sentinel://${address}/main`)).rejects.toThrow('Redis does not answer');
  });
});

describe('Sentinel', () => {
  it(
    'leads to the new master after a failover',
    async () => {
      const redis = stoppedAfter(await RedisSentinel.start());
      const bench = await openBench(redis.url);
      await bench.startWorker([converter(async () => undefined)]);
      await goesThrough(bench);
      await redis.failOver();
      await goesThrough(bench);
      await isHeard(bench);
      expect(bench.ended.at(-1)).toMatchObject({ status: 'succeeded' });
    },
    RECOVERY_TEST_MS,
  );
});

describe('a cluster', () => {
  it(
    'carries messages and events, and goes on after the restart of the node that has them',
    async () => {
      const redis = stoppedAfter(await RedisCluster.start());
      const bench = await openBench(redis.url);
      await bench.startWorker([converter(async () => undefined)]);
      await goesThrough(bench);
      await isHeard(bench);
      const node = await redis.nodeOf('{millrace}');
      await node.kill();
      await eventually('the outage is noticed', () =>
        bench.send().then(
          () => false,
          () => true,
        ),
      );
      await node.restart();
      await redis.isReady();
      await goesThrough(bench);
      await isHeard(bench);
      expect(bench.ended.at(-1)).toMatchObject({ status: 'succeeded' });
    },
    RECOVERY_TEST_MS,
  );
});
