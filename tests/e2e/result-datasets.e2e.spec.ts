import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createCaller, eventually } from '@millrace/testing';
import { Analyst } from './harness/analyst.js';
import { startMillrace, type MillraceUnderTest, type TenantUnderTest } from './harness/millrace.js';
import { problemOf } from './harness/problems.js';

/** Types that a file of Parquet would change, and names that no table could have twice. */
const EXACT = `SELECT sum(range) AS total, INTERVAL '1 month 2 days' AS span, '12:00:00+02'::TIMETZ AS at, 'a'::ENUM ('a', 'b') AS letter,
  {'k': [1::HUGEINT]} AS nested, 1 AS n, 2 AS n FROM range(3)`;

describe('a dataset of a result', () => {
  let millrace: MillraceUnderTest;
  let tenant: TenantUnderTest;
  let analyst: Analyst;

  beforeAll(async () => {
    millrace = await startMillrace();
  });
  beforeEach(async () => {
    tenant = await millrace.newTenant();
    analyst = new Analyst(tenant.asAdmin);
  });
  afterAll(() => millrace.stop());

  const create = (resultId: string, client = tenant.asAdmin, label = 'Kept') =>
    client.call('dataset.create', { body: { label, source: { result_id: resultId } } });

  it('is there at once, with exact types, and stays when the result is gone', async () => {
    const id = await analyst.keep(EXACT);
    const { status, headers, body } = await create(id);
    expect(status).toBe(201);
    expect(headers.get('location')).toBe(`/v1/datasets/${body.id}`);
    expect(body).toMatchObject({
      ...{ status: 'ready', version: 1, row_count: 1, source_type: 'result', source_config: { result_id: id } },
      ...{ table_name: 'kept', job_id: null, progress: null, error: null, warnings: [] },
    });
    await tenant.asAdmin.call('result.delete', { path: { id } });
    const { body: answer } = await tenant.asAdmin.call('query.run', { body: { sql: 'FROM datasets.kept' } });
    expect(answer).toMatchObject({
      columns: ['total', 'span', 'at', 'letter', 'nested', 'n', 'n_1'],
      types: [
        'HUGEINT',
        'INTERVAL',
        'TIME WITH TIME ZONE',
        "ENUM('a', 'b')",
        'STRUCT(k HUGEINT[])',
        'INTEGER',
        'INTEGER',
      ],
      rows: [[3, 'P1M2D', '12:00:00+02:00', 'a', { k: [1] }, 1, 2]],
    });
    expect(body.columns.map(({ name }) => name)).toEqual(answer.columns);
    const preview = await tenant.asAdmin.call('dataset.preview', { path: { id: body.id } });
    expect(preview.body.rows).toEqual(answer.rows);
    const file = await tenant.asAdmin.open('dataset.download', { path: { id: body.id }, query: { format: 'csv' } });
    expect(await file.text()).toMatch(/^total,span,at,letter,nested,n,n_1\n3,P1M2D,/);
  });

  it('may have no rows', async () => {
    const { body } = await create(await analyst.keep('SELECT 1 AS one WHERE false'));
    expect(body).toMatchObject({ status: 'ready', row_count: 0, columns: [{ name: 'one', type: 'INTEGER' }] });
    await expect(analyst.rows('SELECT count(*) FROM datasets.kept')).resolves.toEqual([[0]]);
  });

  it('is made of what is ready', async () => {
    const held = millrace.store.hold('putFile');
    const { result_id: id } = await analyst.ask('SELECT 1 AS one');
    await held.arrived;
    expect(await problemOf(create(id))).toMatchObject({ status: 409, code: 'result.pending', retryable: true });
    held.release();
    await eventually('it can be made', async () => {
      const made = await create(id).catch(() => undefined);
      return made?.status === 201;
    });
    expect(await problemOf(create(id))).toMatchObject({ status: 400, code: 'table_name.taken' });
  });

  it('is for those who may read the result', async () => {
    const id = await analyst.keep('SELECT 1 AS one');
    const missing = { status: 404, code: 'result.not_found' };
    expect(await problemOf(create(id, tenant.asMember))).toMatchObject(missing);
    const stranger = await millrace.newTenant();
    expect(await problemOf(create(id, stranger.asAdmin))).toMatchObject(missing);
    expect(await problemOf(create('rslt01m7wedatjdsn5x90cwjbfgwzs'))).toMatchObject(missing);
    expect(await problemOf(create('no id'))).toMatchObject({ status: 400, code: 'request.invalid' });
  });

  it('is not for a key that may make datasets, but not read results', async () => {
    const id = await analyst.keep('SELECT 1 AS one');
    const { apiKey } = await createCaller(millrace.catalog, tenant.tenantId, {
      role: 'admin',
      scopes: ['datasets:write', 'datasets:read'],
    });
    const answer = await fetch(`${millrace.url}/v1/datasets`, {
      method: 'POST',
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ label: 'Kept', source: { result_id: id } }),
    });
    expect(answer.status).toBe(403);
    await expect(answer.json()).resolves.toMatchObject({ code: 'auth.forbidden' });
  });
});
