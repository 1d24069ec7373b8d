import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Analyst } from './harness/analyst.js';
import { startMillrace, type MillraceUnderTest, type TenantUnderTest } from './harness/millrace.js';
import { problemOf } from './harness/problems.js';

const HEAVY_MS = 240_000;

describe('a download of what is large in one direction', () => {
  let millrace: MillraceUnderTest;
  let tenant: TenantUnderTest;
  let analyst: Analyst;

  beforeAll(async () => {
    millrace = await startMillrace();
    tenant = await millrace.newTenant();
    analyst = new Analyst(tenant.asAdmin);
  });
  afterAll(() => millrace.stop());

  const download = async (id: string, format: 'csv' | 'ndjson'): Promise<string> => {
    const answer = await tenant.asAdmin.open('result.download', { path: { id }, query: { format } });
    expect(answer.status).toBe(200);
    return answer.text();
  };

  it(
    'has 10,000 columns',
    async () => {
      const names = Array.from({ length: 10_000 }, (_, index) => `c${index}`);
      const id = await analyst.keep(`SELECT ${names.map((name, index) => `${index} AS ${name}`).join(', ')}`);
      expect(await download(id, 'csv')).toBe(`${names.join(',')}\n${[...names.keys()].join(',')}\n`);
    },
    HEAVY_MS,
  );

  it('has the names that pages of objects have where two columns have the same', async () => {
    const id = await analyst.keep('SELECT 1 AS a, 2 AS a, 3 AS "A"');
    const page = await tenant.asAdmin.call('result.get', { path: { id }, query: { format: 'objects' } });
    expect(page.body.rows).toEqual([{ a: 1, a_1: 2, A_2: 3 }]);
    expect(JSON.parse(await download(id, 'ndjson'))).toEqual({ a: 1, a_1: 2, A_2: 3 });
    expect(await download(id, 'csv')).toBe('a,a,A\n1,2,3\n');
  });

  it(
    'has a row of 50 MB, also where every character of it is escaped',
    async () => {
      const id = await analyst.keep(`SELECT 1 AS before, repeat(chr(10), 50000000) AS long, 2 AS after`);
      const lines = '\n'.repeat(50_000_000);
      expect((await download(id, 'csv')) === `before,long,after\n1,"${lines}",2\n`).toBe(true);
      const row = JSON.parse(await download(id, 'ndjson')) as { before: number; long: string; after: number };
      expect([row.before, row.after, row.long === lines]).toEqual([1, 2, true]);
    },
    HEAVY_MS,
  );

  it(
    'has a row of 80 MB, which is no page',
    async () => {
      const id = await analyst.keep(`SELECT repeat('x', 80000000) AS long`);
      const page = tenant.asAdmin.call('result.get', { path: { id }, query: { limit: 1 } });
      expect(await problemOf(page)).toMatchObject({ status: 422, code: 'query.result_too_large' });
      expect(await download(id, 'csv')).toHaveLength('long\n'.length + 80_000_000 + 1);
    },
    HEAVY_MS,
  );
});
