import { expect } from '@jest/globals';
import { eventually } from '@millrace/testing';
import type { TenantUnderTest } from '../../e2e/harness/millrace.js';
import { csvOf, isPassing } from '../../e2e/harness/kill-load.js';
import { holdCall, holdRows, type HeldStep, type Place, type Step } from './held-step.js';

const ROWS = 500;
/** Until its rows are locked. */
const MEANWHILE_MS = 3_000;
const WAIT_MAX_MS = 60_000;

const query = async ({ asAdmin }: TenantUnderTest): Promise<void> => {
  const sql = `SELECT i, md5(i::VARCHAR) AS h FROM range(${ROWS}) t(i)`;
  await asAdmin.call('query.run', { body: { sql, limit_rows: 1 } });
};

/** One result, that was stored or is known to be lost. */
const resultIs = ({ asAdmin }: TenantUnderTest, expected: object): HeldStep => ({
  expectOneEffect: async () => {
    const { body } = await asAdmin.call('result.list');
    expect(body.results).toMatchObject([{ total_row_count: ROWS, ...expected }]);
  },
});

async function storing(place: Place): Promise<HeldStep> {
  const arrived = holdCall(place, { of: 'PutObject', below: 'results' });
  await query(place.tenant);
  await arrived();
  return resultIs(place.tenant, { status: 'failed', error: { code: 'result.lost' } });
}

async function verifying(place: Place): Promise<HeldStep> {
  const arrived = holdCall(place, { of: 'GetObject', below: 'results' });
  await query(place.tenant);
  await arrived();
  return resultIs(place.tenant, { status: 'ready' });
}

async function atCommit(place: Place): Promise<HeldStep> {
  const arrived = holdCall(place, { of: 'GetObject', below: 'results', delayMs: MEANWHILE_MS });
  await query(place.tenant);
  await arrived();
  const { untilWaitedFor, release } = await holdRows(place, 'results');
  await untilWaitedFor();
  return { ...resultIs(place.tenant, { status: 'ready' }), release };
}

/** The client hears that it may ask again, and the query says how it ended. */
const lostQuery = ({ asAdmin }: TenantUnderTest, answer: Promise<unknown>, sql: string): HeldStep => ({
  expectOneEffect: async () => {
    expect(await answer).toBe('may ask again');
    const { body } = await asAdmin.call('query.list');
    const retryable = expect.stringMatching(/^(query\.lost|service\.unavailable)$/);
    expect(body.queries.filter((run) => run.sql === sql)).toMatchObject([
      { status: 'failed', error: { code: retryable } },
    ]);
  },
});

async function running({ tenant }: Place): Promise<HeldStep> {
  const sql = 'SELECT sum(sqrt(i)) FROM range(30000000000) t(i)';
  const answer = outcomeOf(tenant, sql);
  await eventually(
    'the statement runs',
    async () => (await tenant.asAdmin.call('query.list', { query: { status: 'running' } })).body.queries.length > 0,
    WAIT_MAX_MS,
  );
  return lostQuery(tenant, answer, sql);
}

async function fetching(place: Place): Promise<HeldStep> {
  const { asAdmin } = place.tenant;
  const { body: file } = await asAdmin.call('file.upload', {
    body: csvOf(ROWS),
    headers: { 'content-type': 'text/csv' },
  });
  const create = { label: 'Held', source: { upload_id: file.id } };
  await asAdmin.call('dataset.create', { body: create, headers: { prefer: 'wait=60' } });
  const arrived = holdCall(place, { of: 'GetObject', below: 'datasets' });
  const sql = 'SELECT count(*) FROM datasets.held';
  const answer = outcomeOf(place.tenant, sql);
  await arrived();
  const lost = lostQuery(place.tenant, answer, sql);
  return {
    expectOneEffect: async () => {
      await lost.expectOneEffect();
      const { body } = await asAdmin.call('query.run', { body: { sql } });
      expect(body.rows).toEqual([[ROWS]]);
    },
  };
}

const outcomeOf = ({ asAdmin }: TenantUnderTest, sql: string): Promise<unknown> =>
  asAdmin.call('query.run', { body: { sql, timeout_ms: 600_000 } }).then(
    () => 'an answer',
    (error: unknown) => (isPassing(error) ? 'may ask again' : error),
  );

/** Where a query, and its result, can be. */
export const RESULT_STEPS: readonly Step[] = [
  { app: 'query-service', name: 'running a statement', hold: running },
  { app: 'query-service', name: 'fetching a table', hold: fetching },
  { app: 'query-service', name: 'storing a result', hold: storing },
  { app: 'maintenance-worker', name: 'verifying a result', hold: verifying },
  { app: 'maintenance-worker', name: 'making a result ready', hold: atCommit },
];
