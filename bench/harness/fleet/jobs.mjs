import { setTimeout as sleep } from 'node:timers/promises';
import { newId } from '@millrace/domain';
import { describeJob } from '@millrace/queue';
import { createTenant } from '@millrace/testing';

const POLL_MS = 100;

/**
 * How the jobs of a load went, by the clock of Postgres.
 *
 * @typedef {object} JobTimes
 * @property {number} seconds from the beginning of the first to the end of the last
 * @property {readonly number[]} waitsMs of each until a worker began it
 */

/**
 * Waits until no job of a fleet is under way.
 *
 * @param {import('./fleet.mjs').Fleet} fleet
 * @param {AbortSignal} signal
 */
export async function untilAllEnded(fleet, signal) {
  const sql = `SELECT count(*)::int AS open FROM jobs WHERE status IN ('queued', 'admitted', 'running')`;
  for (;;) {
    const [{ open }] = await fleet.rows(sql);
    if (open === 0) return;
    await sleep(POLL_MS, undefined, { signal });
  }
}

/** The clock of Postgres, for `jobsSince`. @param {import('./fleet.mjs').Fleet} fleet @returns {Promise<string>} */
export async function nowOf(fleet) {
  const [{ now }] = await fleet.rows('SELECT now()::text AS now');
  return now;
}

/**
 * The jobs of a kind that were made since a moment, all of which must have succeeded.
 *
 * @param {import('./fleet.mjs').Fleet} fleet
 * @param {{ kind: string, since: string, count: number }} load
 * @returns {Promise<JobTimes>}
 * @throws Error when they are not so many
 */
export async function jobsSince(fleet, { kind, since, count }) {
  const rows = await fleet.rows(
    `SELECT extract(epoch FROM started_at - created_at)::float8 * 1000 AS "waitMs",
       extract(epoch FROM started_at)::float8 AS "startedS", extract(epoch FROM ended_at)::float8 AS "endedS"
     FROM jobs WHERE kind = $1 AND created_at > $2::timestamptz AND status = 'succeeded'`,
    [kind, since],
  );
  if (rows.length !== count) throw new Error(`Of ${count} jobs ${rows.length} have succeeded.`);
  const first = Math.min(...rows.map(({ startedS }) => startedS));
  const last = Math.max(...rows.map(({ endedS }) => endedS));
  return { seconds: last - first, waitsMs: rows.map(({ waitMs }) => waitMs) };
}

/** Makes jobs of several tenants that stand for no conversion. */
export class EmptyJobs {
  /** @param {import('./fleet.mjs').Fleet} fleet @param {readonly import('@millrace/domain').TenantId[]} tenantIds */
  constructor(fleet, tenantIds) {
    this.fleet = fleet;
    this.tenantIds = tenantIds;
  }

  /** @param {import('./fleet.mjs').Fleet} fleet @param {number} tenants */
  static async of(fleet, tenants) {
    const made = await Promise.all(Array.from({ length: tenants }, () => createTenant(fleet.catalog)));
    return new EmptyJobs(
      fleet,
      made.map(({ tenantId }) => tenantId),
    );
  }

  /**
   * Makes so many in one transaction, waits until all have ended, and says how they went.
   *
   * @param {number} count
   * @param {{ signal: AbortSignal, onMade?: () => Promise<void> }} options `onMade` runs before anybody sees them
   * @returns {Promise<JobTimes>}
   */
  async run(count, { signal, onMade }) {
    const { catalog } = this.fleet;
    const since = await nowOf(this.fleet);
    await catalog.transaction(async (transaction) => {
      for (let index = 0; index < count; index += 1) {
        const tenantId = this.tenantIds[index % this.tenantIds.length];
        const payload = { datasetId: newId('dataset'), versionId: newId('version') };
        const job = { id: newId('job'), ...describeJob('dataset.convert', payload) };
        await catalog.jobs.insert(transaction, { tenantId, userId: null }, job);
      }
      await onMade?.();
    });
    await untilAllEnded(this.fleet, signal);
    return jobsSince(this.fleet, { kind: 'dataset.convert', since, count });
  }
}
