import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DomainError, type JobFence } from '@millrace/domain';
import { currentTrace } from '@millrace/telemetry';
import { eventually } from '@millrace/testing/eventually';
import { DATASTORES } from '../test/test-datastores.js';
import type { TestDatastore, TestQueue } from '../test/test-queue.js';
import { Bench, catalogWith, converter, convertPayload } from '../test/worker-app.js';
import type { JobContext } from './job-context.js';
import { queueBackendAt } from './queue-backend-at.js';

/** Ends when the signal does, with its reason. */
function untilAborted({ signal }: JobContext): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => {
      reject(signal.reason as Error);
    });
  });
}

describe.each(DATASTORES)('the server on %s', (_, open) => {
  let datastore: TestDatastore;
  let queue: TestQueue;
  let bench: Bench;

  beforeAll(() => {
    datastore = open();
  });
  beforeEach(async () => {
    queue = await datastore.createQueue();
    bench = await Bench.open(queue.location);
  });
  afterEach(async () => {
    await bench.close();
  });
  afterAll(async () => {
    await datastore.stop();
  });

  describe('boot', () => {
    it('is refused when a job has no handler, two, or a handler no job', async () => {
      await expect(bench.startWorker([])).rejects.toThrow('job dataset.convert has no handler');
      const twice = [converter(async () => undefined), converter(async () => undefined)];
      await expect(bench.startWorker(twice)).rejects.toThrow('job dataset.convert has 2 handlers');
    });
  });

  describe('a delivery', () => {
    it('runs the handler with the parsed payload and ends the job', async () => {
      const payload = convertPayload();
      const seen: unknown[] = [];
      await bench.startWorker([converter(async (given, { fence }) => seen.push(given, fence))]);
      const fence = await bench.send(payload);
      await eventually('the end is told', () => bench.ended.length === 1);
      expect(seen).toEqual([payload, fence]);
      expect(bench.ledger.get(fence.jobId).status).toBe('succeeded');
      const { tenantId, jobId } = fence;
      expect(bench.ended).toEqual([{ type: 'job.ended', tenantId, jobId, status: 'succeeded' }]);
    });

    it('is dropped when its attempt is not current', async () => {
      const attempts: number[] = [];
      const first = bench.ledger.admit({ kind: 'dataset.convert', payload: convertPayload() });
      const second = bench.ledger.readmit(first);
      await bench.producer.send([first, second].map((fence) => ({ kind: 'dataset.convert', ...fence })));
      await bench.startWorker([converter(async (_, { fence }) => attempts.push(fence.attempt))]);
      await eventually('the job has ended', () => bench.ended.length === 1);
      await eventually('the first was dropped', () => bench.log.has('a stale delivery was dropped'));
      expect(attempts).toEqual([2]);
    });

    it('of a running attempt to another worker is dropped', async () => {
      let runs = 0;
      const gate = Promise.withResolvers<void>();
      const work = converter(async () => {
        runs += 1;
        await gate.promise;
      });
      await bench.startWorker([work]);
      const { jobId } = await bench.send();
      await eventually('it runs', () => runs === 1);
      await queue.loseWorkers();
      await bench.startWorker([work]);
      await eventually('the second delivery was dropped', () => bench.log.has('a stale delivery was dropped'));
      gate.resolve();
      await eventually('the first has ended', () => bench.ledger.get(jobId).status === 'succeeded');
      expect(runs).toBe(1);
    });

    it('that makes no sense is dropped without harm to the next', async () => {
      const sender = await queueBackendAt(queue.location).openSender(['convert'], bench.log);
      const opts = { attempts: 1, removeOnComplete: { age: 60 }, removeOnFail: { age: 60 } };
      await sender.addBulk('convert', [
        { name: 'dataset.convert', data: { hello: 'world' }, opts: { ...opts, jobId: 'bad-1' } },
        { name: 'dataset.paint', data: {}, opts: { ...opts, jobId: 'bad-2' } },
      ]);
      await sender.close();
      await bench.startWorker([converter(async () => undefined)]);
      const { jobId } = await bench.send();
      await eventually('the good one has ended', () => bench.ledger.get(jobId).status === 'succeeded');
      expect(bench.log.lines.filter(({ message }) => message.includes('makes no sense'))).toHaveLength(2);
    });

    it('with a payload that is not of the catalog fails the job', async () => {
      await bench.startWorker([converter(async () => undefined)]);
      const { jobId } = await bench.send({ versionId: 'secret rows' });
      await eventually('it has ended', () => bench.ended.length === 1);
      expect(bench.ledger.get(jobId)).toMatchObject({ status: 'failed', error: { code: 'internal' } });
      expect(JSON.stringify(bench.log.lines)).not.toContain('secret');
    });

    it('that the ledger does not answer for is left to the sweeper', async () => {
      let runs = 0;
      await bench.startWorker([converter(async () => (runs += 1))]);
      bench.ledger.unreachable = true;
      const { jobId } = await bench.send();
      await eventually('it is logged', () => bench.log.has('the ledger did not answer for an attempt'));
      expect([runs, bench.ledger.get(jobId).status]).toEqual([0, 'admitted']);
    });
  });

  describe('a failure', () => {
    it('reaches the ledger with its code; a next attempt runs under an id of its own', async () => {
      const work = converter(async (_, { fence }) => {
        if (fence.attempt === 1) throw new DomainError('storage.unavailable', 'The store does not answer.');
      });
      await bench.startWorker([work]);
      const first = await bench.send();
      await eventually('it is queued again', () => bench.ledger.get(first.jobId).status === 'queued');
      expect(bench.ledger.get(first.jobId).error).toMatchObject({ code: 'storage.unavailable' });
      await bench.producer.send([{ kind: 'dataset.convert', ...bench.ledger.readmit(first) }]);
      await eventually('it has ended', () => bench.ended.length > 0);
      expect(bench.ended).toMatchObject([{ status: 'succeeded' }]);
    });

    it('has one line in the log, with kind, outcome and duration', async () => {
      const lost = new DomainError('conversion.failed', 'no');
      let isGood = true;
      await bench.startWorker([converter(() => (isGood ? Promise.resolve() : Promise.reject(lost)))]);
      const good = await bench.send();
      await eventually('the end is told', () => bench.ended.length === 1);
      isGood = false;
      const bad = await bench.send();
      await eventually('the end is told', () => bench.ended.length === 2);
      const lineOf = ({ jobId }: JobFence) =>
        eventually('its line', () => bench.log.lines.find(({ fields }) => 'jobId' in fields && fields.jobId === jobId));
      const about = { kind: 'dataset.convert', durationMs: expect.any(Number) };
      expect(await lineOf(good)).toEqual({
        fields: { ...good, ...about, outcome: 'succeeded' },
        message: 'an attempt succeeded',
      });
      expect(await lineOf(bad)).toEqual({
        fields: { ...bad, ...about, outcome: 'conversion.failed' },
        message: 'an attempt failed',
      });
    });

    it('is in the trace that its job names', async () => {
      const seen: unknown[] = [];
      await bench.startWorker([converter(async () => seen.push(currentTrace()))]);
      const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
      for (const job of [{ traceparent }, {}]) {
        const fence = bench.ledger.admit({ kind: 'dataset.convert', payload: convertPayload(), ...job });
        await bench.producer.send([{ kind: 'dataset.convert', ...fence }]);
        await eventually('it was handled', () => seen.length === ('traceparent' in job ? 1 : 2));
      }
      expect(seen).toEqual([{ trace_id: 'a'.repeat(32), span_id: 'b'.repeat(16) }, undefined]);
    });

    it('of our own making is internal, and its message is not logged', async () => {
      await bench.startWorker([converter(() => Promise.reject(new TypeError('row 7: secret')))]);
      const { jobId } = await bench.send();
      await eventually('the end is told', () => bench.ended.length === 1);
      expect(bench.ledger.get(jobId)).toMatchObject({ status: 'failed', error: { code: 'internal' } });
      expect(JSON.stringify(bench.log.lines)).toContain('TypeError');
      expect(JSON.stringify(bench.log.lines)).not.toContain('secret');
    });
  });

  describe('the claim on a job', () => {
    it('is extended by heartbeats, which carry the progress', async () => {
      const catalog = catalogWith({ leaseMs: 1_500 });
      const work = converter(async (_, { progress, signal }) => {
        progress(0.25);
        // Four thirds of a lease.
        await eventually('the lease would be over', () => bench.ledger.heartbeats >= 4);
        signal.throwIfAborted();
      });
      await bench.startWorker([work], { catalog });
      const { jobId } = await bench.send();
      await eventually('it has ended', () => bench.ended.length === 1);
      expect(bench.ledger.get(jobId)).toMatchObject({ status: 'succeeded', progress: 0.25 });
    });

    it('tells the progress long before a heartbeat is due', async () => {
      const work = converter(async (_, { fence, progress }) => {
        await eventually('the progress is known', () => {
          progress(0.5);
          return bench.ledger.get(fence.jobId).progress === 0.5;
        });
      });
      await bench.startWorker([work], { catalog: catalogWith({ leaseMs: 600_000 }) });
      const { jobId } = await bench.send();
      await eventually('it has ended', () => bench.ended.length === 1);
      expect(bench.ledger.get(jobId).status).toBe('succeeded');
    });

    it('ends with a cancellation, at once when it is told', async () => {
      await bench.startWorker([converter((_, context) => untilAborted(context))]);
      const fence = await bench.send();
      await eventually('it runs', () => bench.ledger.get(fence.jobId).status === 'running');
      bench.ledger.requestCancel(fence);
      const { tenantId, jobId } = fence;
      await bench.bus.publish({ type: 'job.cancel_requested', tenantId, jobId });
      await eventually('it has ended', () => bench.ended.length === 1);
      expect(bench.ledger.get(jobId)).toMatchObject({ status: 'cancelled', error: { code: 'job.cancelled' } });
    });

    it('is lost when another attempt is current; then nothing is written', async () => {
      const reasons: unknown[] = [];
      const work = converter((_, context) => untilAborted(context).catch((reason: unknown) => reasons.push(reason)));
      await bench.startWorker([work], { catalog: catalogWith({ leaseMs: 300 }) });
      const fence = await bench.send();
      await eventually('it runs', () => bench.ledger.get(fence.jobId).status === 'running');
      bench.ledger.readmit(fence);
      await eventually('nothing is written', () => bench.log.has('the claim on a job was lost; nothing was written'));
      expect(reasons).toMatchObject([{ code: 'job.lost' }]);
      expect(bench.ledger.get(fence.jobId).status).toBe('admitted');
    });

    it('is announced when the handler ended the job itself and a heartbeat met that', async () => {
      const work = converter(async (_, context) => {
        await bench.ledger.succeed(context.fence);
        await untilAborted(context).catch(() => undefined);
      });
      await bench.startWorker([work], { catalog: catalogWith({ leaseMs: 300 }) });
      const { jobId } = await bench.send();
      await eventually('it has ended', () => bench.ended.length === 1);
      expect(bench.ended).toMatchObject([{ jobId, status: 'succeeded' }]);
    });

    it('outlives a ledger that is away for less than the lease, not for more', async () => {
      const work = converter((_, context) => untilAborted(context));
      await bench.startWorker([work], { catalog: catalogWith({ leaseMs: 3_000 }) });
      await bench.send();
      await eventually('a heartbeat came', () => bench.ledger.heartbeats > 0);
      bench.ledger.unreachable = true;
      await eventually('one failed', () => bench.log.has('a heartbeat failed'));
      bench.ledger.unreachable = false;
      const { heartbeats } = bench.ledger;
      await eventually('the lease would be over', () => bench.ledger.heartbeats >= heartbeats + 3);
      expect(bench.log.has('the claim on a job was lost; nothing was written')).toBe(false);
      bench.ledger.unreachable = true;
      await eventually('it is lost', () => bench.log.has('the claim on a job was lost; nothing was written'));
    });

    it('ends with the time limit, also when the handler does not listen', async () => {
      const work = converter(() => new Promise(() => undefined));
      await bench.startWorker([work], { catalog: catalogWith({ timeLimitMs: 200 }), abortGraceMs: 100 });
      const { jobId } = await bench.send();
      await eventually('it has ended', () => bench.ended.length === 1);
      expect(bench.ledger.get(jobId)).toMatchObject({ status: 'failed', error: { code: 'job.deadline' } });
    });
  });

  describe('close', () => {
    it('waits for what runs and takes nothing new', async () => {
      const app = await bench.startWorker([converter(() => sleep(500))]);
      const running = await bench.send();
      await eventually('it runs', () => bench.ledger.get(running.jobId).status === 'running');
      const closed = app.close();
      const meanwhile = await bench.send();
      await closed;
      expect(bench.ledger.get(running.jobId).status).toBe('succeeded');
      // A worker that asked for a message just before does what it gets.
      expect(['admitted', 'succeeded']).toContain(bench.ledger.get(meanwhile.jobId).status);
      await expect(queue.isListening('convert')).resolves.toBe(false);
    });

    it('gives what does not end in time a next attempt', async () => {
      const app = await bench.startWorker([converter((_, context) => untilAborted(context))], { drainMs: 100 });
      const { jobId } = await bench.send();
      await eventually('it runs', () => bench.ledger.get(jobId).status === 'running');
      await app.close();
      expect(bench.ledger.get(jobId)).toMatchObject({ status: 'queued', error: { code: 'job.lost' } });
    });
  });

  describe('connections', () => {
    it('are few: three for a worker and for a bus, two for a sender', async () => {
      await bench.startWorker([converter(() => sleep(100))], { queues: [{ name: 'convert', concurrency: 8 }] });
      const fences = await Promise.all(Array.from({ length: 40 }, () => bench.send()));
      await eventually('all have ended', () => bench.ended.length === fences.length);
      expect(await queue.countConnections()).toBeLessThanOrEqual(3 + 3 + 2);
    });

    it('that were lost are made up for', async () => {
      await bench.startWorker([converter(async () => undefined)]);
      await queue.breakConnections();
      const fence = bench.ledger.admit({ kind: 'dataset.convert', payload: convertPayload() });
      // A dispatcher does the same: what could not be sent is admitted again later.
      await eventually('the queue takes a job', () =>
        bench.producer.send([{ kind: 'dataset.convert', ...fence }]).then(
          () => true,
          () => false,
        ),
      );
      await eventually('it has succeeded', () => bench.ledger.get(fence.jobId).status === 'succeeded');
      expect(bench.ledger.get(fence.jobId).error).toBeUndefined();
    });
  });
});
