import { expect } from '@jest/globals';
import { eventually, withClient } from '@millrace/testing';
import type { TenantUnderTest } from '../../e2e/harness/millrace.js';
import { csvOf, isPassing, largeCsvOf } from '../../e2e/harness/kill-load.js';
import { holdCall, type CallToHold, type HeldStep, type Place, type Step } from './held-step.js';

const ROWS = 500;
/** About 9 MB: it goes into the store in parts. */
const LARGE_BLOCKS = 40;
const headers = { 'content-type': 'text/csv' };
const WAIT_MAX_MS = 60_000;

const send = async ({ asAdmin }: TenantUnderTest, body: string): Promise<unknown> =>
  asAdmin.call('file.upload', { body, headers }).then(
    () => 'an answer',
    (error: unknown) => (isPassing(error) ? 'may send again' : error),
  );

/** What was not acknowledged is not there; sent again, it is there once. */
const uploading =
  (of: CallToHold['of'], content: () => string) =>
  async (place: Place): Promise<HeldStep> => {
    const { tenant } = place;
    const arrived = holdCall(place, { of, below: 'uploads' });
    const answer = send(tenant, content());
    await arrived();
    const filesOf = async () => (await tenant.asAdmin.call('file.list')).body.uploads;
    return {
      expectOneEffect: async () => {
        expect(await answer).toBe('may send again');
        expect(await filesOf()).toEqual([]);
        expect(await send(tenant, content())).toBe('an answer');
        expect(await filesOf()).toMatchObject([{ status: 'pending' }]);
      },
    };
  };

/** The client hears nothing of its table, which is made all the same. */
async function waiting(place: Place): Promise<HeldStep> {
  const { asAdmin } = place.tenant;
  const { body: file } = await asAdmin.call('file.upload', { body: csvOf(ROWS), headers });
  const arrived = holdCall(place, { of: 'GetObject', below: 'uploads', delayMs: 5_000 });
  const create = { label: 'Held', source: { upload_id: file.id } };
  const answer = asAdmin.call('dataset.create', { body: create, headers: { prefer: 'wait=60' } }).then(
    ({ status }) => (status === 202 ? 'may look again' : 'an answer'),
    (error: unknown) => (isPassing(error) ? 'may look again' : error),
  );
  await arrived();
  return {
    expectOneEffect: async () => {
      expect(await answer).toBe('may look again');
      const { body } = await asAdmin.call('dataset.list');
      expect(body.datasets).toMatchObject([{ status: 'ready', version: 1, row_count: ROWS }]);
    },
  };
}

/** Bytes that nobody refers to any more. */
async function deleting(place: Place): Promise<HeldStep> {
  const { fleet, tenant } = place;
  const { body: file } = await tenant.asAdmin.call('file.upload', { body: csvOf(ROWS), headers });
  const arrived = holdCall(place, { of: 'DeleteObject', below: 'uploads' });
  await tenant.asAdmin.call('file.delete', { path: { id: file.id } });
  await arrived();
  const rows = (): Promise<number> =>
    withClient(fleet.databaseUrl, async (client) => {
      const { rowCount } = await client.query('SELECT 1 FROM blobs WHERE tenant_id = $1', [tenant.tenantId]);
      return rowCount ?? 0;
    });
  return {
    expectOneEffect: async () => {
      await eventually('the row of the bytes is gone', async () => (await rows()) === 0, WAIT_MAX_MS);
      const left = fleet.store.list(`t/${tenant.tenantId}/`);
      expect((await left[Symbol.asyncIterator]().next()).done).toBe(true);
    },
  };
}

const small = (): string => csvOf(ROWS);
const large = (): string => largeCsvOf(LARGE_BLOCKS).content;

/** Where an upload can be, from its first byte to its last. */
export const UPLOAD_STEPS: readonly Step[] = [
  { app: 'gateway', name: 'storing an upload', hold: uploading('PutObject', small) },
  { app: 'gateway', name: 'storing a part of an upload', hold: uploading('UploadPart', large) },
  { app: 'gateway', name: 'putting an upload together', hold: uploading('CompleteMultipartUpload', large) },
  { app: 'gateway', name: 'waiting for a conversion', hold: waiting },
  { app: 'maintenance-worker', name: 'deleting bytes', hold: deleting },
];
