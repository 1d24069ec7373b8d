import { join } from 'node:path';
import { expect } from '@jest/globals';
import { eventually } from '@millrace/testing';
import type { TenantUnderTest } from '../../e2e/harness/millrace.js';
import { csvOf, largeCsvOf } from '../../e2e/harness/kill-load.js';
import { killWorkingEngines } from '../../e2e/harness/working-engines.js';
import { holdCall, holdRows, type HeldStep, type Place, type Step } from './held-step.js';

const ROWS = 500;
/** About 36 MB: the time in the engine is long beside that between the engine's answer and the end of its input. */
const LARGE_BLOCKS = 160;
/** Until its rows are locked. */
const MEANWHILE_MS = 3_000;
const WAIT_MAX_MS = 60_000;

const convert = async ({ asAdmin }: TenantUnderTest, body: string): Promise<void> => {
  const { body: file } = await asAdmin.call('file.upload', { body, headers: { 'content-type': 'text/csv' } });
  const create = { label: 'Held', source: { upload_id: file.id } };
  await asAdmin.call('dataset.create', { body: create, headers: { prefer: 'respond-async' } });
};

/** One version, by a second attempt. */
const madeOnce = ({ asAdmin }: TenantUnderTest, rows = ROWS) => ({
  expectOneEffect: async (): Promise<void> => {
    const { body } = await asAdmin.call('dataset.list');
    expect(body.datasets).toMatchObject([{ table_name: 'held', status: 'ready', version: 1, row_count: rows }]);
    const { body: answer } = await asAdmin.call('query.run', { body: { sql: 'SELECT count(*) FROM datasets.held' } });
    expect(answer.rows).toEqual([[rows]]);
    const { body: jobs } = await asAdmin.call('job.list', { query: { kind: 'dataset.convert' } });
    expect(jobs.jobs).toMatchObject([{ status: 'succeeded', attempts: 2 }]);
  },
});

const atCall =
  (of: 'GetObject' | 'PutObject', below: 'uploads' | 'datasets') =>
  async (place: Place): Promise<HeldStep> => {
    const arrived = holdCall(place, { of, below });
    await convert(place.tenant, csvOf(ROWS));
    await arrived();
    return madeOnce(place.tenant);
  };

async function atCommit(place: Place): Promise<HeldStep> {
  const arrived = holdCall(place, { of: 'GetObject', below: 'uploads', delayMs: MEANWHILE_MS });
  await convert(place.tenant, csvOf(ROWS));
  await arrived();
  const { untilWaitedFor, release } = await holdRows(place, 'datasets');
  await untilWaitedFor();
  return { ...madeOnce(place.tenant), release };
}

async function inEngine({ fleet, tenant }: Place): Promise<HeldStep> {
  const { content, rowCount } = largeCsvOf(LARGE_BLOCKS);
  const folder = join(fleet.dataFolder, 'engine/convert');
  const isIts = ({ sizeBytes }: { sizeBytes: number }): boolean => sizeBytes === content.length;
  await convert(tenant, content);
  await eventually('it is converted', () => killWorkingEngines(folder, isIts, 'SIGSTOP'), WAIT_MAX_MS);
  return { ...madeOnce(tenant, rowCount), release: () => killWorkingEngines(folder, isIts) };
}

/** Where a conversion can be. */
export const CONVERSION_STEPS: readonly Step[] = [
  { app: 'convert-worker', name: 'fetching the source', hold: atCall('GetObject', 'uploads') },
  { app: 'convert-worker', name: 'in the engine', hold: inEngine },
  { app: 'convert-worker', name: 'storing the file', hold: atCall('PutObject', 'datasets') },
  { app: 'convert-worker', name: 'making the version ready', hold: atCommit },
];
