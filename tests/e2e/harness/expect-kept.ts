import { expect } from '@jest/globals';
import type { MillraceClient } from '@millrace/contract';
import { Slots } from '@millrace/domain';
import type { Promises } from './kill-load.js';

/** Fewer than a tenant may have. */
const LOOKS_AT_ONCE = 4;

/**
 * Everything that was acknowledged is still there, and usable. A result that was not stored may be lost, and says so.
 *
 * @param lostBy the codes by which it may
 */
export async function expectKept(
  { uploads, tables, results }: Promises,
  client: MillraceClient,
  lostBy: readonly string[] = ['result.lost'],
): Promise<void> {
  await expectUploads(uploads, client);
  const slots = new Slots(LOOKS_AT_ONCE);
  const looks = [
    ...[...tables].map(([table, rows]) => async () => {
      const { body } = await client.call('query.run', { body: { sql: `SELECT count(*) FROM datasets.${table}` } });
      expect(body.rows).toEqual([[rows]]);
    }),
    ...[...results].map(([id, rows]) => async () => {
      const { body } = await client.call('result.get', { path: { id }, query: { limit: 1 } });
      if (body.status === 'failed') expect(lostBy).toContain(body.error?.code);
      else expect(body).toMatchObject({ status: 'ready', total_row_count: rows });
    }),
  ];
  await Promise.all(looks.map((look) => slots.run(look)));
}

async function expectUploads(uploads: Promises['uploads'], client: MillraceClient): Promise<void> {
  let usable: string | undefined;
  for (const [id, size_bytes] of uploads) {
    const { body } = await client.call('file.get', { path: { id } });
    expect(body).toMatchObject({ size_bytes, status: expect.stringMatching(/^(pending|consumed)$/) });
    if (body.status === 'pending') usable = id;
  }
  if (usable === undefined) return;
  const dataset = await client.call('dataset.create', { body: { label: 'Usable', source: { upload_id: usable } } });
  expect(dataset.body).toMatchObject({ status: 'ready' });
}
