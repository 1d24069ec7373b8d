import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@millrace/testing/eventually';
import { enginePids, PoolFixture } from '../../test/pool-fixture.js';

const ENDLESS = 'SELECT count(*) FROM range(100000000000) a, range(100) b WHERE hash(a.range) = 1';
const DEAF = "SELECT levenshtein(repeat('ab', 60000), repeat('ba', 60000))";
const MEMORY_EATERS = [
  "SELECT length(repeat('x', 4000000000))",
  'SELECT len(range(400000000))',
  'SELECT list(md5(range::VARCHAR)) FROM range(50000000)',
];

describe('the statements of one tenant', () => {
  let fixture: PoolFixture;

  beforeAll(async () => {
    fixture = await PoolFixture.open({ childrenMax: 3, memoryBytes: 512 * 1024 ** 2 });
  });
  afterAll(() => fixture.close());

  it.each(MEMORY_EATERS)('have another process after one that ran out of memory: %s', async (sql) => {
    await fixture.rows('SELECT 1');
    const before = new Set(await enginePids(process.pid));
    await expect(fixture.query(sql)).rejects.toMatchObject({ code: 'query.memory' });
    await eventually('its process has ended', async () => {
      const now = await enginePids(process.pid);
      return [...before].some((pid) => !now.includes(pid));
    });
    // What the first would have no room for any more.
    expect(
      await fixture.rows('SELECT length(max(s)) FROM (SELECT repeat(md5(range::VARCHAR), 2000000) AS s FROM range(2))'),
    ).toEqual([[64_000_000]]);
  });

  it('do not wait for one of them that runs, nor for one that does not hear of its deadline', async () => {
    const abort = new AbortController();
    for (const [sql, request, code] of [
      [ENDLESS, { deadlineMs: 60_000, signal: abort.signal }, 'query.cancelled'],
      [DEAF, { deadlineMs: 1 }, 'query.deadline'],
    ] as const) {
      let hasEnded = false;
      const slow = fixture.query(sql, request).then(
        () => 'an answer',
        (error: { code: string }) => {
          hasEnded = true;
          return error.code;
        },
      );
      await eventually('it runs', async () => (await fixture.pool.counts()).busy > 0);
      for (let n = 0; n < 5; n += 1) expect(await fixture.rows(`SELECT ${n}`)).toEqual([[n]]);
      if (code === 'query.cancelled') expect(hasEnded).toBe(false);
      abort.abort();
      expect(await slow).toBe(code);
    }
  });
});
