import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DatasetBody, JobBody, UploadBody } from '@millrace/contract';
import { DomainError } from '@millrace/domain';
import { eventually } from '@millrace/testing';
import { Analyst } from './harness/analyst.js';
import { startMillrace, type MillraceUnderTest, type TenantUnderTest } from './harness/millrace.js';
import { largeCsvOf } from './harness/kill-load.js';
import { problemOf } from './harness/problems.js';
import { killWorkingEngines } from './harness/working-engines.js';

/** Several attempts with their pauses, on a machine that is busy with other things. */
const TEST_MAX_MS = 120_000;
const ATTEMPTS_MAX = 3;
/** About 44 MB, which takes the engine seconds. */
const LARGE_BLOCKS = 200;

describe('the end of a conversion', () => {
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
  afterEach(() => millrace.store.heal());
  afterAll(() => millrace.stop());

  const upload = (bytes = 'a\n1\n'): Promise<UploadBody> => analyst.upload({ bytes, type: 'text/csv' });
  const uploadNow = async ({ id }: UploadBody) => (await tenant.asAdmin.call('file.get', { path: { id } })).body;
  const newestJob = async (): Promise<JobBody | undefined> => {
    const { body } = await tenant.asAdmin.call('job.list', { query: { kind: 'dataset.convert', limit: 1 } });
    return body.jobs[0];
  };
  const runningJob = () =>
    eventually('the conversion runs', async () => {
      const job = await newestJob();
      return job?.status === 'running' && job;
    });
  const firstDataset = async (): Promise<DatasetBody | undefined> =>
    (await tenant.asAdmin.call('dataset.list', { query: { limit: 1 } })).body.datasets[0];
  /** Does something while a conversion waits for the store. */
  async function whileConverting(file: UploadBody, act: (job: JobBody) => Promise<void>): Promise<void> {
    const held = millrace.store.hold('putFile');
    const answer = analyst.convert(file);
    answer.catch(() => undefined);
    try {
      await held.arrived;
      await act(await runningJob());
    } finally {
      held.release();
    }
    await answer;
  }

  it(
    'is conversion.crashed for one whose engine process is killed in every attempt; the upload can be used again',
    async () => {
      const { content, rowCount } = largeCsvOf(LARGE_BLOCKS);
      const file = await upload(content);
      const answer = problemOf(analyst.convert(file));
      const enginesFolder = join(millrace.dataFolder, 'engine', 'convert');
      for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt += 1) {
        await eventually(`attempt ${attempt} runs`, async () => {
          const job = await newestJob();
          return job?.status === 'running' && job.attempts === attempt;
        });
        await eventually('its engine process is killed', async () => (await killWorkingEngines(enginesFolder)) > 0);
      }
      const problem = await answer;
      expect(problem).toMatchObject({ status: 500, code: 'conversion.crashed', retryable: true });
      const error = { code: problem.code, detail: problem.detail };
      expect(await newestJob()).toMatchObject({ status: 'failed', attempts: ATTEMPTS_MAX, error });
      expect(await firstDataset()).toMatchObject({ status: 'failed', error });
      expect(await uploadNow(file)).toMatchObject({ status: 'pending', last_error: error });
      await expect(analyst.convert(file)).resolves.toMatchObject({ status: 'ready', row_count: rowCount });
    },
    TEST_MAX_MS,
  );

  it(
    'is storage.full when the disk of the store is full in every attempt; the upload can be used again',
    async () => {
      millrace.store.fail('putFile', { error: () => new DomainError('storage.full', 'The disk is full.') });
      const file = await upload();
      const problem = await problemOf(analyst.convert(file));
      expect(problem).toMatchObject({ status: 507, code: 'storage.full', retryable: true });
      expect(await newestJob()).toMatchObject({ status: 'failed', attempts: ATTEMPTS_MAX });
      expect(await uploadNow(file)).toMatchObject({ status: 'pending', last_error: { code: 'storage.full' } });
      millrace.store.heal();
      await expect(analyst.convert(file)).resolves.toMatchObject({ status: 'ready', row_count: 1 });
    },
    TEST_MAX_MS,
  );

  it.each([
    ['a column that is not there', { b: { type: 'BIGINT' } }, 'conversion.column_unknown'],
    ['a type that is none', { a: { type: 'MONEY' } }, 'conversion.type_invalid'],
  ])('is refused for %s, and the upload can be used again', async (_, columns, code) => {
    const { problem, upload: after } = await analyst.refusalOf({ bytes: 'a\n1\n', type: 'text/csv' }, { columns });
    expect(problem).toMatchObject({ status: 400, code, retryable: false });
    expect(after).toMatchObject({ status: 'pending', last_error: { code } });
    await expect(analyst.convert(after)).resolves.toMatchObject({ status: 'ready' });
  });

  it('is awaited by what would need or spoil its upload and its dataset', async () => {
    const file = await upload();
    await whileConverting(file, async () => {
      const taken = { status: 409, code: 'upload.in_use' };
      await expect(problemOf(analyst.convert(file))).resolves.toMatchObject(taken);
      const deleted = problemOf(tenant.asAdmin.call('file.delete', { path: { id: file.id } }));
      await expect(deleted).resolves.toMatchObject(taken);
      const id = (await firstDataset())?.id ?? '';
      const preview = problemOf(tenant.asAdmin.call('dataset.preview', { path: { id } }));
      await expect(preview).resolves.toMatchObject({ status: 409, code: 'dataset.not_ready' });
    });
    expect(await uploadNow(file)).toMatchObject({ status: 'consumed' });
  });

  it('is a cancel: who waits for the dataset hears of it, and it can not be cancelled again', async () => {
    const cancel = (id: string) => tenant.asAdmin.call('job.cancel', { path: { id } });
    const file = await upload();
    const cancelled = whileConverting(file, async ({ id }) => {
      const stranger = (await millrace.newTenant()).asAdmin;
      const refused = problemOf(stranger.call('job.cancel', { path: { id } }));
      await expect(refused).resolves.toMatchObject({ status: 404, code: 'job.not_found' });
      await expect(cancel(id)).resolves.toMatchObject({ status: 202, body: { id } });
      await eventually('it is cancelled', async () => (await newestJob())?.status === 'cancelled');
    });
    await expect(problemOf(cancelled)).resolves.toMatchObject({ status: 409, code: 'job.cancelled' });
    expect(await uploadNow(file)).toMatchObject({ status: 'pending', last_error: { code: 'job.cancelled' } });
    const { id } = (await newestJob()) ?? { id: '' };
    await expect(problemOf(cancel(id))).resolves.toMatchObject({ status: 409, code: 'job.finished' });
    await expect(analyst.convert(file)).resolves.toMatchObject({ status: 'ready' });
  });
});
