import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '@millrace/testing/eventually';
import { enginePids, PoolFixture } from '../../test/pool-fixture.js';

const ENDLESS = 'SELECT count(*) FROM range(100000000000) a, range(100) b WHERE hash(a.range) = 1';
/** A parser reads all of it, and its answer is short. */
const LONG_AND_WRONG = `SELECT 1 ${'/* */ '.repeat(250_000)})`;
const GREEDY = 'tenant-a';
const OTHER = 'tenant-b';

describe('the pool between tenants', () => {
  let fixture: PoolFixture;
  let abort: AbortController;
  let greedy: Promise<unknown>[];

  beforeEach(async () => {
    fixture = await PoolFixture.open({
      childrenMax: 3,
      queueMax: 4,
      queuePerTenantMax: 3,
      memoryBytes: 512 * 1024 ** 2,
    });
    abort = new AbortController();
    greedy = [];
  });
  afterEach(async () => {
    abort.abort();
    await Promise.allSettled(greedy);
    await fixture.close();
  });

  const occupy = (count: number): void => {
    for (let started = 0; started < count; started += 1) {
      const request = { tenantId: GREEDY, deadlineMs: 60_000, signal: abort.signal };
      const running = fixture.query(ENDLESS, request);
      running.catch(() => undefined);
      greedy.push(running);
    }
  };

  it('keeps a child for others, however much one tenant asks for', async () => {
    occupy(5);
    await eventually('the greedy one has its part', async () => (await fixture.pool.counts()).busy === 2);
    expect(await fixture.rows('SELECT 1', { tenantId: OTHER })).toEqual([[1]]);
    // Beside an idle child of the other tenant, too: one that is taken does not come back.
    expect(await fixture.pool.counts()).toEqual({ busy: 2, idle: 1, waiting: 3 });
  });

  it('refuses a tenant with too many callers that wait, and nobody else', async () => {
    occupy(5);
    await eventually('three wait', async () => (await fixture.pool.counts()).waiting === 3);
    await expect(fixture.query('SELECT 1', { tenantId: GREEDY })).rejects.toMatchObject({
      code: 'query.too_many',
      message: expect.stringContaining('of yours'),
    });
    const others = [1, 2, 3].map((number) => fixture.rows(`SELECT ${number}`, { tenantId: OTHER }));
    const refused = await Promise.allSettled(others);
    // One has the child that is left, one waits for it, the third is one too many for all.
    expect(refused.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
    expect(refused[2]).toMatchObject({ reason: { code: 'query.too_many' } });
    expect(refused[2]).not.toMatchObject({ reason: { message: expect.stringContaining('of yours') } });
  });
});

describe('processes that wait for their tenant', () => {
  const TENANTS = ['tenant-a', 'tenant-b', 'tenant-c'];
  const LIGHT = 'SELECT 1';
  /** It leaves some 80 MB behind, of a budget of 512: more than an eighth, less than a quarter. */
  const HEAVY = 'SELECT count(*) FROM (SELECT hash(range) AS h, count(*) FROM range(1500000) GROUP BY 1)';

  const pidsAfter = async (fixture: PoolFixture, count: number): Promise<number[]> =>
    eventually('the spare is there, and who goes has gone', async () => {
      const pids = await enginePids(process.pid, '"role":"table"');
      return pids.length === count + 1 && pids;
    });

  it('are more than work at one time, while they hold little memory', async () => {
    const fixture = await PoolFixture.open({ childrenMax: 2, childrenKeptMax: 3 });
    try {
      for (const tenantId of TENANTS) await fixture.query(LIGHT, { tenantId });
      const pids = await pidsAfter(fixture, 3);
      for (const tenantId of TENANTS) await fixture.query(LIGHT, { tenantId });
      expect(await pidsAfter(fixture, 3)).toEqual(pids);
      await fixture.query(LIGHT, { tenantId: 'tenant-d' });
      expect((await pidsAfter(fixture, 3)).slice(0, 2)).toEqual(pids.slice(1, 3));
    } finally {
      await fixture.close();
    }
  });

  it('are as many as work, when they hold much', async () => {
    const fixture = await PoolFixture.open({ childrenMax: 2, childrenKeptMax: 4, memoryBytes: 512 * 1024 ** 2 });
    try {
      for (const tenantId of TENANTS) await fixture.query(HEAVY, { tenantId });
      // With the spare.
      expect(await pidsAfter(fixture, 2)).toHaveLength(3);
    } finally {
      await fixture.close();
    }
  });
});

describe('parsing between tenants', () => {
  it('never happens in a process that another tenant had, of which some are kept', async () => {
    const fixture = await PoolFixture.open({ parseChildrenMax: 1, parseChildrenKeptMax: 2 });
    const parse = (tenantId: string): Promise<unknown> =>
      fixture.pool.run({ kind: 'parse', sql: 'SELECT 1' }, { tenantId, deadlineMs: 20_000 });
    /** Those that parse, when the spare is there, too. */
    const untilThereAre = (count: number): Promise<number[]> =>
      eventually('the spare is there', async () => {
        const pids = await enginePids(process.pid, '"role":"parse"');
        return pids.length === count && pids;
      });
    try {
      const [first] = await untilThereAre(1);
      await parse(GREEDY);
      const [, second] = await untilThereAre(2);
      await parse(GREEDY);
      expect(await untilThereAre(2)).toEqual([first, second]);
      await parse(OTHER);
      const [, , third] = await untilThereAre(3);
      expect(await untilThereAre(3)).toEqual([first, second, third]);
      await parse('tenant-c');
      const after = await eventually('the first tenant has none any more', async () => {
        const pids = await enginePids(process.pid, '"role":"parse"');
        return pids.length === 3 && !pids.some((pid) => pid === first) && pids;
      });
      expect(after.slice(0, 2)).toEqual([second, third]);
    } finally {
      await fixture.close();
    }
  });

  it('takes turns, and counts the deadline of each statement from when it has a child', async () => {
    const fixture = await PoolFixture.open();
    const parse = (sql: string, tenantId: string): Promise<unknown> =>
      fixture.pool.run({ kind: 'parse', sql }, { tenantId, deadlineMs: 30_000 });
    try {
      let endedCount = 0;
      const greedy = Array.from({ length: 20 }, () =>
        parse(LONG_AND_WRONG, GREEDY)
          .catch((error: unknown) => error)
          .finally(() => {
            endedCount += 1;
          }),
      );
      expect(await parse('SELECT 1', OTHER)).toMatchObject({ statement: { form: 'select' } });
      expect(endedCount).toBeLessThan(10);
      // One after the other they take longer than one may.
      const endings = await Promise.all(greedy);
      expect(endings).not.toContainEqual(expect.objectContaining({ code: 'query.deadline' }));
    } finally {
      await fixture.close();
    }
  });
});
