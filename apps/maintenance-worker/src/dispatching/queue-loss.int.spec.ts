import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type JobId, newId, type TenantId } from '@millrace/domain';
import { describeJob, type QueueLocation } from '@millrace/queue';
import { eventually, RedisServer } from '@millrace/testing';
import { startConversionWorker } from '../../test/conversion-worker.js';
import { MaintenanceBench } from '../../test/maintenance-bench.js';

/** No lease ends while a test looks: what is found again, was looked for. */
const LONG_LEASE = { LEASE_MS: '60000' };
const TENANTS = 5;

/** What a test has opened; the last goes first. */
const opened: (() => Promise<unknown>)[] = [];
let bench: MaintenanceBench;
let tenants: TenantId[];
/** Of each job, how often its handler ran. */
let runs: Map<JobId, number>;

async function open(location?: QueueLocation): Promise<void> {
  bench = await MaintenanceBench.open({ ...(location && { queueLocation: location }) });
  opened.push(() => bench.close());
  const owners = await Promise.all(Array.from({ length: TENANTS }, () => bench.newOwner()));
  tenants = owners.map(({ tenantId }) => tenantId);
  runs = new Map();
}

afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close();
});

async function startRedis(): Promise<RedisServer> {
  const redis = await RedisServer.start();
  opened.push(() => redis.stop());
  return redis;
}

/** Inserts one conversion for each tenant. */
async function insertRound(): Promise<JobId[]> {
  const rows = tenants.map((tenantId) => ({
    tenantId,
    job: {
      id: newId('job'),
      ...describeJob('dataset.convert', { datasetId: newId('dataset'), versionId: newId('version') }),
    },
  }));
  await bench.catalog.transaction(async (transaction) => {
    for (const { tenantId, job } of rows) await bench.catalog.jobs.insert(transaction, { tenantId, userId: null }, job);
  });
  return rows.map(({ job }) => job.id);
}

async function startConverting(whileRunning: () => Promise<void> = async () => undefined): Promise<void> {
  const worker = await startConversionWorker({
    queueLocation: bench.queueLocation,
    ledger: bench.catalog.jobs,
    events: bench.events,
    work: async (jobId) => {
      runs.set(jobId, (runs.get(jobId) ?? 0) + 1);
      await whileRunning();
    },
  });
  opened.push(() => worker.close());
}

async function count(status: string): Promise<number> {
  const select = 'SELECT count(*)::int AS count FROM jobs WHERE status = $1';
  const [row] = await bench.query<{ count: number }>(select, [status]);
  return row?.count ?? 0;
}

async function expectEachRanOnce(ids: readonly JobId[]): Promise<void> {
  await eventually('all have succeeded', async () => (await count('succeeded')) === ids.length);
  expect([...runs.keys()].sort()).toEqual([...ids].sort());
  expect([...runs.values()].every((times) => times === 1)).toBe(true);
}

interface Backend {
  countWaiting(): Promise<number>;
  loseAll(): Promise<unknown>;
}

const BACKENDS: [string, () => Promise<Backend>][] = [
  [
    'Postgres',
    async () => {
      await open();
      return {
        countWaiting: async () => (await bench.query(`SELECT id FROM bullmq.job WHERE state = 'waiting'`)).length,
        loseAll: () => bench.query('DELETE FROM bullmq.job'),
      };
    },
  ],
  [
    'Redis',
    async () => {
      const redis = await startRedis();
      await open({ kind: 'redis', topology: serverAt(redis), tls: false });
      return {
        countWaiting: async () => Number(await redis.run('LLEN', '{millrace}:convert:wait')),
        loseAll: () => redis.run('FLUSHALL'),
      };
    },
  ],
];

function serverAt({ port }: RedisServer) {
  return { type: 'server', node: { host: '127.0.0.1', port }, database: 0 } as const;
}

describe.each(BACKENDS)('a queue on %s that loses everything', (_, openBackend) => {
  let queue: Backend;

  beforeEach(async () => {
    queue = await openBackend();
  });

  it('while jobs wait: they are sent again', async () => {
    await bench.startWorker(LONG_LEASE);
    const ids = await insertRound();
    await eventually('all wait', async () => (await queue.countWaiting()) === ids.length);
    await queue.loseAll();
    await startConverting();
    await expectEachRanOnce(ids);
    expect(bench.lines.some((line) => line.includes('the queue had lost jobs'))).toBe(true);
  });

  it('while jobs run: they go on, and none runs twice', async () => {
    const gate = Promise.withResolvers<void>();
    await bench.startWorker(LONG_LEASE);
    await startConverting(() => gate.promise);
    const ids = await insertRound();
    await eventually('four run, and the last waits', async () => runs.size === 4 && (await queue.countWaiting()) === 1);
    await queue.loseAll();
    await eventually('the last is sent again', () => bench.lines.some((line) => line.includes('the queue had lost')));
    gate.resolve();
    await expectEachRanOnce(ids);
  });

  it('again and again, while two dispatchers send and two sweep: each job has one effect', async () => {
    await Promise.all([bench.startWorker(LONG_LEASE), bench.startWorker(LONG_LEASE)]);
    await Promise.all([startConverting(), startConverting()]);
    const ids: JobId[] = [];
    for (let round = 0; round < 12; round += 1) {
      ids.push(...(await insertRound()));
      await queue.loseAll();
    }
    await expectEachRanOnce(ids);
  });
});

describe('Redis', () => {
  it('that is away for a while, and comes back empty, has lost nothing', async () => {
    const redis = await startRedis();
    await open({ kind: 'redis', topology: serverAt(redis), tls: false });
    await Promise.all([bench.startWorker(LONG_LEASE), bench.startWorker(LONG_LEASE)]);
    const ids = await insertRound();
    await eventually('all wait', async () => (await count('admitted')) === ids.length);
    await startConverting();
    await redis.kill();
    ids.push(...(await insertRound()));
    await eventually('the dispatcher has noticed', () =>
      bench.lines.some((line) => line.includes('jobs could not be dispatched')),
    );
    await redis.restart();
    await expectEachRanOnce(ids);
  });
});
