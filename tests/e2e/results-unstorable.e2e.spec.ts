import { afterAll, beforeAll, expect, describe, it } from '@jest/globals';
import { DomainError } from '@millrace/domain';
import { eventually } from '@millrace/testing';
import { Analyst } from './harness/analyst.js';
import { startMillrace, type MillraceUnderTest, type TenantUnderTest } from './harness/millrace.js';
import { storedKeys } from './harness/stored-files.js';

describe('a result', () => {
  let millrace: MillraceUnderTest;
  let tenant: TenantUnderTest;
  let analyst: Analyst;

  beforeAll(async () => {
    millrace = await startMillrace();
    tenant = await millrace.newTenant();
    analyst = new Analyst(tenant.asAdmin);
  });
  afterAll(() => millrace.stop());

  it('is failed with the reason when it can not be stored, although its rows were delivered', async () => {
    const error = () => new DomainError('internal', 'The disk is on fire.');
    millrace.store.fail('putFile', { times: 1, error });
    const answer = await analyst.ask('SELECT 1 AS one');
    expect(answer.rows).toEqual([[1]]);
    const failed = await eventually('it is failed', async () => {
      const { body } = await tenant.asAdmin.call('result.get', { path: { id: answer.result_id } });
      return body.status === 'failed' && body;
    });
    expect(failed.error).toMatchObject({ code: 'internal', detail: expect.stringContaining('run the query again') });
    expect(failed.rows).toBeUndefined();
    await expect(tenant.asAdmin.call('query.get', { path: { id: answer.query_run_id } })).resolves.toMatchObject({
      body: { status: 'succeeded', error: null },
    });
    await expect(analyst.refusedSql(`FROM results.${answer.result_id}`)).resolves.toMatchObject({
      ...{ status: 422, code: 'result.not_ready' },
      errors: [{ line: 1, column: 6 }],
    });
    await eventually(
      'nothing of it is left in the store',
      async () => (await storedKeys(millrace.store, `t/${tenant.tenantId}/results/${answer.result_id}-`)).length === 0,
    );
  });
});
