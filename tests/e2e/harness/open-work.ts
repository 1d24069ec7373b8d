import { setTimeout as sleep } from 'node:timers/promises';
import type { MillraceClient } from '@millrace/contract';

const PAUSE_MS = 100;
/** Several leases: what a dead process had admitted is let go last. */
const WAIT_MAX_MS = 60_000;
const PAGE_MAX = 200;

/**
 * Waits until nothing of the caller's tenant is under way any more, as the API tells it.
 *
 * @returns what still is after that time; nothing when all is well
 */
export async function waitForOpenWork(client: MillraceClient): Promise<string[]> {
  for (const deadline = Date.now() + WAIT_MAX_MS; ; await sleep(PAUSE_MS)) {
    const open = await openWork(client);
    if (open.length === 0 || Date.now() > deadline) return open;
  }
}

async function openWork(client: MillraceClient): Promise<string[]> {
  const open: string[] = [];
  for (const status of ['queued', 'admitted', 'running'] as const) {
    const { body } = await client.call('job.list', { query: { status } });
    open.push(...body.jobs.map(({ id, kind }) => `${kind} ${id} is ${status}`));
  }
  for (const status of ['queued', 'running'] as const) {
    const { body } = await client.call('query.list', { query: { status } });
    open.push(...body.queries.map(({ id }) => `query ${id} is ${status}`));
  }
  const status = 'processing';
  const { body: files } = await client.call('file.list', { query: { status } });
  const { body: results } = await client.call('result.list', { query: { status } });
  const { body: datasets } = await client.call('dataset.list', { query: { limit: PAGE_MAX } });
  const ids = [
    ...files.uploads.map(({ id }) => id),
    ...results.results.map((result) => result.result_id),
    ...datasets.datasets.filter((dataset) => dataset.status === status).map(({ id }) => id),
  ];
  return [...open, ...ids.map((id) => `${id} is ${status}`)];
}
