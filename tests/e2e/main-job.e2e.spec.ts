import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DatasetBody } from '@millrace/contract';
import { eventually } from '@millrace/testing';
import { startMillrace, type MillraceUnderTest, type TenantUnderTest } from './harness/millrace.js';
import { keptAnswer, type KeptAnswer } from './harness/kept-answer.js';
import { problemOf } from './harness/problems.js';
import { storedKeys } from './harness/stored-files.js';

const csv = 'id,name\n1,test';

describe('the main job', () => {
  let millrace: MillraceUnderTest;
  let tenant: TenantUnderTest;

  beforeAll(async () => {
    millrace = await startMillrace();
  });
  beforeEach(async () => {
    tenant = await millrace.newTenant();
  });
  afterAll(() => millrace.stop());

  const upload = async (content: string, contentType = 'text/csv') =>
    (await tenant.asAdmin.call('file.upload', { body: content, headers: { 'content-type': contentType } })).body;
  const create = async (label: string, content = csv, more: { table_name?: string } = {}): Promise<DatasetBody> =>
    (
      await tenant.asAdmin.call('dataset.create', {
        body: { label, ...more, source: { inline: { format: 'csv', content } } },
      })
    ).body;
  const query = async (sql: string, params?: (string | number)[]): Promise<KeptAnswer> =>
    keptAnswer((await tenant.asAdmin.call('query.run', { body: { sql, ...(params && { params }) } })).body);
  const ready = (resultId: string) =>
    eventually(`result ${resultId} is ready`, async () => {
      const { body } = await tenant.asAdmin.call('result.get', { path: { id: resultId } });
      return body.status === 'ready' && body;
    });

  it('goes from a file to a table to an answer to a result that can be read and queried again', async () => {
    const file = await upload(csv);
    expect(file).toMatchObject({ status: 'pending', size_bytes: csv.length, deduplicated: false });

    const created = await tenant.asAdmin.call('dataset.create', {
      body: { label: 'Test Dataset', source: { upload_id: file.id } },
    });
    expect(created.status).toBe(201);
    expect(created.headers.get('location')).toBe(`/v1/datasets/${created.body.id}`);
    expect(created.body).toMatchObject({
      ...{ label: 'Test Dataset', schema_name: 'main', table_name: 'test_dataset', status: 'ready', version: 1 },
      ...{ row_count: 1, source_type: 'upload', source_config: { upload_id: file.id }, error: null },
      columns: [
        { name: 'id', type: 'BIGINT', nullable: false },
        { name: 'name', type: 'VARCHAR', nullable: false },
      ],
    });
    await expect(tenant.asAdmin.call('file.get', { path: { id: file.id } })).resolves.toMatchObject({
      body: { status: 'consumed', consumed_at: expect.any(String) },
    });

    const answer = await query('SELECT name, id + 1 AS next FROM datasets.test_dataset WHERE id = $1', [1]);
    expect(answer).toMatchObject({
      ...{ columns: ['name', 'next'], types: ['VARCHAR', 'BIGINT'], rows: [['test', 2]] },
      ...{ row_count: 1, total_row_count: 1, truncated: false, reused: false, warnings: [] },
      inputs: [{ dataset_id: created.body.id }],
    });

    const result = await ready(answer.result_id);
    expect(result).toMatchObject({ rows: [['test', 2]], total_row_count: 1, has_more: false, next_cursor: null });
    const again = await query(`SELECT next * 10 AS ten FROM results.${answer.result_id}`);
    expect(again.rows).toEqual([[20]]);

    const preview = await tenant.asAdmin.call('dataset.preview', { path: { id: created.body.id } });
    expect(preview.body).toMatchObject({ columns: ['id', 'name'], rows: [[1, 'test']], total_row_count: 1 });
    const runs = await tenant.asAdmin.call('query.list', { query: { status: 'succeeded' } });
    expect(runs.body.queries.map((run) => run.result_id)).toEqual([again.result_id, answer.result_id]);
    const jobs = await tenant.asAdmin.call('job.list', { query: { kind: 'dataset.convert' } });
    expect(jobs.body.jobs).toMatchObject([
      { status: 'succeeded', progress: 1, dataset_id: created.body.id, attempts: 1 },
    ]);
  });

  it('uses an upload once', async () => {
    const source = { upload_id: (await upload(csv)).id };
    await tenant.asAdmin.call('dataset.create', { body: { label: 'First', source } });
    const again = tenant.asAdmin.call('dataset.create', { body: { label: 'Second', source } });
    await expect(problemOf(again)).resolves.toMatchObject({ status: 400, code: 'upload.consumed' });
  });

  it('reads a result page by page', async () => {
    const { result_id: id } = await query('SELECT i FROM range(250) t(i)');
    await ready(id);
    const page = (cursor?: string) =>
      tenant.asAdmin.call('result.get', { path: { id }, query: { limit: 100, ...(cursor && { cursor }) } });
    const rows: unknown[] = [];
    let cursor: string | undefined;
    do {
      const { body, headers } = await page(cursor);
      rows.push(...(body.rows ?? []));
      expect(Boolean(headers.get('link'))).toBe(body.has_more);
      cursor = body.next_cursor ?? undefined;
    } while (cursor);
    expect(rows).toEqual(Array.from({ length: 250 }, (_, index) => [index]));
    const bad = tenant.asAdmin.call('result.get', { path: { id }, query: { cursor: 'x' } });
    await expect(problemOf(bad)).resolves.toMatchObject({ status: 400, code: 'cursor.invalid' });
  });

  it('answers at once when asked to, and then says how far it is', async () => {
    const { status, headers, body } = await tenant.asAdmin.call('dataset.create', {
      body: { label: 'Later', source: { inline: { format: 'csv', content: csv } } },
      headers: { prefer: 'respond-async' },
    });
    expect(status).toBe(202);
    expect(headers.get('preference-applied')).toBe('respond-async');
    expect(headers.get('location')).toBe(`/v1/datasets/${body.id}`);
    expect(headers.get('retry-after')).toMatch(/^\d+$/);
    expect(body).toMatchObject({ status: 'processing', version: null, job_id: expect.any(String) });
    await eventually('the dataset is ready', async () => {
      const now = await tenant.asAdmin.call('dataset.get', { path: { id: body.id } });
      return now.body.status === 'ready';
    });
  });

  describe('names', () => {
    it.each([
      ['Q1 Sales Report', 'q1_sales_report'],
      ['123 Numbers', '_123_numbers'],
      ['Test! @#$% Data', 'test_data'],
      ['日本', '_unnamed'],
    ])('of the label %s are derived: %s', async (label, tableName) => {
      await expect(create(label)).resolves.toMatchObject({ label, table_name: tableName });
      await expect(query(`SELECT count(*) FROM datasets.${tableName}`)).resolves.toMatchObject({ rows: [[1]] });
    });

    it.each([
      ['a blank label', { label: ' \t' }, 'label.blank'],
      ['a reserved table name', { label: 'A', table_name: 'select' }, 'table_name.reserved'],
      ['a label whose name is reserved', { label: 'Select' }, 'table_name.reserved'],
      ['a table name with a space', { label: 'A', table_name: 'a b' }, 'table_name.invalid'],
      ['an empty table name', { label: 'A', table_name: '' }, 'table_name.invalid'],
      ['a table name of 129 characters', { label: 'A', table_name: 'x'.repeat(129) }, 'table_name.invalid'],
    ])('refuse %s', async (_, { label, ...more }, code) => {
      await expect(problemOf(create(label, csv, more))).resolves.toMatchObject({ status: 400, code });
    });

    it('are unique without regard to case, and a free one is suggested', async () => {
      await create('Sales');
      const taken = problemOf(create('Other', csv, { table_name: 'SALES' }));
      await expect(taken).resolves.toMatchObject({
        ...{ status: 400, code: 'table_name.taken' },
        detail: expect.stringMatching(/SALES_2/i),
      });
    });

    it('let one of two creates win that race for a name', async () => {
      const outcomes = await Promise.allSettled([create('Race'), create('race'), create('RACE')]);
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected')
          expect(outcome.reason).toMatchObject({ problem: { code: 'table_name.taken' } });
      }
    });

    it('can change: the old one fails in SQL, the new one works', async () => {
      const { id } = await create('Before');
      const renamed = await tenant.asAdmin.call('dataset.update', {
        path: { id },
        body: { label: 'After', table_name: 'after_all' },
      });
      expect(renamed.body).toMatchObject({ label: 'After', table_name: 'after_all' });
      await expect(query('FROM datasets.After_All')).resolves.toMatchObject({ total_row_count: 1 });
      await expect(problemOf(query('FROM datasets.before'))).resolves.toMatchObject({
        ...{ status: 422, code: 'table.unknown' },
        errors: [{ line: 1, column: 6 }],
      });
      await expect(create('Before')).resolves.toMatchObject({ table_name: 'before' });
    });

    it('of two tenants have nothing to do with each other', async () => {
      await create('Shared', 'who\nfirst');
      const other = await millrace.newTenant();
      const body = { label: 'Shared', source: { inline: { format: 'csv' as const, content: 'who\nsecond' } } };
      await other.asAdmin.call('dataset.create', { body });
      await expect(query('FROM datasets.shared')).resolves.toMatchObject({ rows: [['first']] });
      const theirs = await other.asAdmin.call('query.run', { body: { sql: 'FROM datasets.shared' } });
      expect(theirs.body.rows).toEqual([['second']]);
    });
  });

  it('takes inline content up to 1 MiB', async () => {
    const line = `${'x'.repeat(1023)}\n`;
    const fits = `${'h'.repeat(1023)}\n${line.repeat(1023)}`;
    expect(fits).toHaveLength(1024 * 1024);
    await expect(create('Fits', fits)).resolves.toMatchObject({ row_count: 1023 });
    await expect(problemOf(create('Large', `${fits}\n`))).resolves.toMatchObject({
      status: 400,
      code: 'inline.too_large',
    });
    // In UTF-8 an ü has two bytes.
    await expect(problemOf(create('Wide', 'ü'.repeat(600_000)))).resolves.toMatchObject({ code: 'inline.too_large' });
  });

  it('refuses a source that is none', async () => {
    const { asAdmin } = tenant;
    const from = (source: object) =>
      problemOf(asAdmin.call('dataset.create', { body: { label: 'A', source: source as never } }));
    await expect(from({ upload_id: 'upld01jd3x9k2v7q8m4n5p6r7s8t9w' })).resolves.toMatchObject({
      ...{ status: 400, code: 'upload.unknown' },
    });
    await expect(from({ upload_id: 'nonsense' })).resolves.toMatchObject({ status: 400, code: 'request.invalid' });
    await expect(from({})).resolves.toMatchObject({ status: 400, code: 'request.invalid' });
  });

  it('lets a failed upload be tried again with other options', async () => {
    const file = await upload('a;b\n1;2\n3;x');
    const make = (type: string) =>
      tenant.asAdmin.call('dataset.create', {
        body: { label: 'Retry', source: { upload_id: file.id, columns: { b: { type } } } },
      });
    const problem = await problemOf(make('INTEGER'));
    expect(problem).toMatchObject({ status: 422, code: 'conversion.failed', errors: [{ line: 3, column_name: 'b' }] });
    await expect(tenant.asAdmin.call('file.get', { path: { id: file.id } })).resolves.toMatchObject({
      body: { status: 'pending', last_error: { code: 'conversion.failed' } },
    });
    const failed = await tenant.asAdmin.call('dataset.list', { query: { table_name: 'retry' } });
    expect(failed.body.datasets).toMatchObject([{ status: 'failed', error: { code: 'conversion.failed' } }]);
    await expect(make('VARCHAR')).resolves.toMatchObject({ status: 201, body: { table_name: 'retry', row_count: 2 } });
  });

  describe('a dataset that is deleted while a query reads it', () => {
    const remove = async ({ id }: DatasetBody) => {
      expect((await tenant.asAdmin.call('dataset.delete', { path: { id } })).status).toBe(204);
    };
    const filesOf = ({ id }: DatasetBody) => storedKeys(millrace.store, `t/${tenant.tenantId}/datasets/${id}/`);
    /** The tenant's only query that runs. */
    const running = () =>
      eventually('the query runs', async () => {
        const { body } = await tenant.asAdmin.call('query.list', { query: { status: 'running' } });
        return body.queries[0];
      });
    const expectRunning = async (id: string) => {
      const { body } = await tenant.asAdmin.call('query.get', { path: { id } });
      expect(body.status).toBe('running');
    };

    it('is hidden at once, and keeps its file as long as the query runs, beyond the grace period', async () => {
      const dataset = await create('Gone', 'n\n1\n2\n');
      const unread = await create('Unread', 'n\n3\n4\n');
      expect([...(await filesOf(dataset)), ...(await filesOf(unread))]).toHaveLength(2);
      const answer = problemOf(
        query('SELECT count(*) FROM datasets.gone, range(100000000000) WHERE hash(range + n) = 1'),
      );
      const { id } = await running();
      for (const each of [dataset, unread]) await remove(each);
      const gone = problemOf(tenant.asAdmin.call('dataset.get', { path: { id: dataset.id } }));
      await expect(gone).resolves.toMatchObject({ status: 404, code: 'dataset.not_found' });
      await expect(problemOf(query('FROM datasets.gone'))).resolves.toMatchObject({ code: 'table.unknown' });
      // It was deleted later, so what sweeps has come by the other one, too.
      await eventually('the file that nobody reads is gone', async () => (await filesOf(unread)).length === 0);
      await expectRunning(id);
      expect(await filesOf(dataset)).toHaveLength(1);
      await tenant.asAdmin.call('query.cancel', { path: { id } });
      await expect(answer).resolves.toMatchObject({ code: 'query.cancelled' });
      await eventually('the file is gone', async () => (await filesOf(dataset)).length === 0);
    });

    it('is read to the end', async () => {
      const dataset = await create('Gone', `n\n${'1\n'.repeat(50)}`);
      const factors = ['a', 'b', 'c', 'd', 'e'].map((name) => `datasets.gone ${name}`);
      const answer = query(`SELECT sum(a.n + b.n + c.n + d.n + e.n) AS n FROM ${factors.join()}`);
      answer.catch(() => undefined);
      const { id } = await running();
      await remove(dataset);
      await expectRunning(id);
      await expect(answer).resolves.toMatchObject({ rows: [[5 * 312_500_000]] });
      await eventually('the file is gone', async () => (await filesOf(dataset)).length === 0);
    });
  });
});
