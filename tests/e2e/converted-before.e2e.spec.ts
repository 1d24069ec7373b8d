import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Analyst } from './harness/analyst.js';
import { startMillrace, type MillraceUnderTest, type TenantUnderTest } from './harness/millrace.js';

const CSV = 'id;amount\n1;12,50\n2;n/a\n';
const READING = { options: { delimiter: ';', decimal_separator: ',' as const, null_strings: ['n/a'] } };

describe('the same file again', () => {
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

  const createAtOnce = async (label: string, source: object) =>
    tenant.asAdmin.call('dataset.create', { body: { label, source } as never, headers: { prefer: 'respond-async' } });
  const conversions = async () =>
    (await tenant.asAdmin.call('job.list', { query: { kind: 'dataset.convert' } })).body.jobs.length;

  it('is a table at once, also from another user', async () => {
    const { dataset: first } = await analyst.tableOf({ bytes: CSV, name: 'a.csv' }, READING);
    expect(first).toMatchObject({ reused: false, job_id: expect.any(String) });
    const upload = await new Analyst(tenant.asMember).upload({ bytes: CSV, name: 'b.csv' });
    const { body, status } = await createAtOnce('Again', { upload_id: upload.id, ...READING });
    expect(status).toBe(201);
    const { row_count, size_bytes, columns, warnings } = first;
    const same = { row_count, size_bytes, columns, warnings };
    expect(body).toMatchObject({ ...same, status: 'ready', version: 1, reused: true, job_id: null, progress: null });
    expect(await conversions()).toBe(1);
    await expect(analyst.rows('SELECT id, amount FROM datasets.again ORDER BY id')).resolves.toEqual([[1, 12.5], [2, null]]); // prettier-ignore
    const used = await tenant.asMember.call('file.get', { path: { id: upload.id } });
    expect(used.body).toMatchObject({ status: 'consumed' });
    await tenant.asAdmin.call('dataset.delete', { path: { id: first.id } });
    const { body: preview } = await tenant.asAdmin.call('dataset.preview', { path: { id: body.id } });
    expect(preview.rows).toHaveLength(2);
  });

  it('is converted when it is to be read in another way', async () => {
    await analyst.tableOf({ bytes: CSV, name: 'a.csv' }, READING);
    const columns = { id: { type: 'VARCHAR' } };
    const { dataset, rows } = await analyst.tableOf({ bytes: CSV, name: 'a.csv' }, { ...READING, columns });
    expect(dataset).toMatchObject({ reused: false, columns: [{ name: 'id', type: 'VARCHAR' }, {}] });
    expect(rows).toEqual([['1', 12.5], ['2', null]]); // prettier-ignore
  });

  it('may come with the request', async () => {
    const inline = { format: 'csv', content: CSV, ...READING };
    await tenant.asAdmin.call('dataset.create', { body: { label: 'One', source: { inline } } as never });
    const { status, body } = await createAtOnce('Two', { inline });
    expect(status).toBe(201);
    expect(body).toMatchObject({ reused: true, source_type: 'inline', source_config: { format: 'csv' }, row_count: 2 });
  });
});
