import { setTimeout as sleep } from 'node:timers/promises';

/** A connection of Postgres that rests tells within so long what it has done. */
const POSTGRES_TELLS_MS = 11_000;
/** Where it is enough that everything works. */
const POSTGRES_TELLS_QUICK_MS = 1_500;

const NAMES_SHOWN_MAX = 6;
const COUNT_SHOWN_MIN = 0.05;

const DATABASE_SQL = `
  SELECT (xact_commit + xact_rollback)::float8 AS transactions,
    (tup_inserted + tup_updated + tup_deleted)::float8 AS rows,
    (pg_current_wal_lsn() - '0/0'::pg_lsn)::float8 AS "walBytes"
  FROM pg_stat_database WHERE datname = current_database()`;

/**
 * What the services had done by a moment. The bytes of the write-ahead log are those of the whole server.
 *
 * @typedef {object} Counts
 * @property {number} atMs
 * @property {{ transactions: number, rows: number, walBytes: number }} postgres
 * @property {{ commands: number, bytes: number, byName: Map<string, number> }} redis
 * @property {{ requests: number, receivedBytes: number, sentBytes: number, byName: Map<string, number> }} s3
 */

/**
 * Counts at once: right for the log and for Redis, and a little too low for transactions and rows.
 *
 * @param {import('./fleet.mjs').Fleet} fleet
 * @returns {Promise<Counts>}
 */
export async function countNow(fleet) {
  const atMs = performance.now();
  const [postgres, redis] = await Promise.all([postgresCounts(fleet), redisCounts(fleet.redis)]);
  return { atMs, postgres, redis, s3: s3Counts(fleet.s3) };
}

/**
 * Counts when all connections of Postgres have told what they did.
 *
 * @param {import('./fleet.mjs').Fleet} fleet
 * @param {{ quick: boolean, signal: AbortSignal }} options
 */
export async function countSettled(fleet, { quick, signal }) {
  await sleep(quick ? POSTGRES_TELLS_QUICK_MS : POSTGRES_TELLS_MS, undefined, { signal });
  return countNow(fleet);
}

/**
 * What happened between two counts.
 *
 * @param {Counts} before
 * @param {Counts} after
 */
export function countsBetween(before, after) {
  return {
    seconds: (after.atMs - before.atMs) / 1_000,
    postgres: difference(before.postgres, after.postgres),
    redis: difference(before.redis, after.redis),
    s3: difference(before.s3, after.s3),
  };
}

/** Connections that are open, by the service that Postgres knows them of. @param {import('./fleet.mjs').Fleet} fleet */
export async function connectionsOf(fleet) {
  const rows = await fleet.rows(
    `SELECT application_name AS name, count(*)::int AS count FROM pg_stat_activity
     WHERE datname = current_database() AND application_name LIKE 'millrace-%' GROUP BY 1 ORDER BY 1`,
  );
  return new Map(rows.map(({ name, count }) => [name.replace(/^millrace-/, ''), count]));
}

/** @param {import('./fleet.mjs').Fleet} fleet */
async function postgresCounts(fleet) {
  const { looks } = fleet;
  const [{ transactions, ...row }] = await fleet.rows(DATABASE_SQL);
  return { ...row, transactions: transactions - looks };
}

/** What there was most of, as text. @param {readonly (readonly [string, number])[]} named */
export function mostOf(named) {
  const most = named.filter(([, count]) => count >= COUNT_SHOWN_MIN).sort(([, a], [, b]) => b - a);
  const parts = most.slice(0, NAMES_SHOWN_MAX).map(([name, count]) => `${name} ${count.toFixed(1)}`);
  return parts.join(', ');
}

/** Commands within scripts count, too. @param {import('@millrace/testing').RedisServer | undefined} redis */
async function redisCounts(redis) {
  const text = redis ? await redis.run('INFO', 'everything') : '';
  const field = (name) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(text)?.[1] ?? 0);
  const byName = new Map(
    [...text.matchAll(/^cmdstat_(\S+?):calls=(\d+)/gm)].map(([, name = '', calls]) => [name, Number(calls)]),
  );
  return {
    commands: field('total_commands_processed'),
    // Not the one that asks.
    clients: Math.max(0, field('connected_clients') - 1),
    bytes: field('total_net_input_bytes') + field('total_net_output_bytes'),
    byName,
  };
}

/** @param {import('@millrace/testing').S3Proxy | undefined} s3 */
function s3Counts(s3) {
  const requests = s3?.requests ?? [];
  const byName = new Map();
  for (const { operation } of requests) byName.set(operation, (byName.get(operation) ?? 0) + 1);
  return { requests: requests.length, ...(s3?.traffic ?? { receivedBytes: 0, sentBytes: 0 }), byName };
}

/** Field by field; of those by name, what there was of each. */
function difference(before, after) {
  const entries = Object.entries(after).map(([name, end]) => {
    const start = before[name];
    if (!(end instanceof Map)) return [name, end - start];
    return [name, new Map([...end].map(([key, count]) => [key, count - (start.get(key) ?? 0)]))];
  });
  return Object.fromEntries(entries);
}
