import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startMillrace, type MillraceUnderTest, type TenantUnderTest } from './harness/millrace.js';
import { problemOf } from './harness/problems.js';

describe('the profile of a dataset', () => {
  let millrace: MillraceUnderTest;
  let tenant: TenantUnderTest;
  let made = 0;

  beforeAll(async () => {
    millrace = await startMillrace();
    tenant = await millrace.newTenant();
  });
  afterAll(() => millrace.stop());

  const create = async (content: string, { isWaitedFor = true } = {}) =>
    tenant.asAdmin.call('dataset.create', {
      body: { label: `Table ${(made += 1)}`, source: { inline: { format: 'json', content } } },
      ...(!isWaitedFor && { headers: { prefer: 'respond-async' } }),
    });

  it('is there as soon as the dataset is ready, with its names and types', async () => {
    const { body: dataset } = await create('[{"n": 1, "s": "a\\u0000b"}, {"n": 3, "s": null}]');
    const { body } = await tenant.asAdmin.call('dataset.profile', { path: { id: dataset.id } });
    expect(body).toMatchObject({
      ...{ dataset_id: dataset.id, version: 1, row_count: 2, approximate: false, sampled_row_count: 2 },
      columns: [
        { name: 'n', type: 'BIGINT', null_count: 0, distinct_count: 2, min: 1, max: 3, mean: 2 },
        { name: 's', type: 'VARCHAR', null_count: 1, min: 'a\0b', top_values: [{ value: 'a\0b', count: 1 }] },
      ],
    });
  });

  it('is not there for a dataset that failed, and not for others', async () => {
    const { body: failing } = await create('[{"n": 1', { isWaitedFor: false });
    const ended = problemOf(tenant.asAdmin.call('dataset.profile', { path: { id: failing.id } }));
    await expect(ended).resolves.toMatchObject({ status: 409, code: 'dataset.not_ready' });
    const { body: dataset } = await create('[{"n": 1}]');
    const stranger = await millrace.newTenant();
    const foreign = problemOf(stranger.asAdmin.call('dataset.profile', { path: { id: dataset.id } }));
    await expect(foreign).resolves.toMatchObject({ status: 404, code: 'dataset.not_found' });
  });

  it('is not there for a version of an older server', async () => {
    const { body: dataset } = await create('[{"n": 1}]');
    await millrace.catalog.transaction((transaction) =>
      transaction.query('UPDATE dataset_versions SET profile = NULL WHERE tenant_id = $1 AND dataset_id = $2', [
        tenant.admin.principal.tenantId,
        dataset.id,
      ]),
    );
    const missing = problemOf(tenant.asAdmin.call('dataset.profile', { path: { id: dataset.id } }));
    await expect(missing).resolves.toMatchObject({ status: 409, code: 'dataset.no_profile' });
  });
});
