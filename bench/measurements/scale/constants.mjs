import { setTimeout as sleep } from 'node:timers/promises';
import { ConversionLoad } from '../../harness/fleet/conversion-load.mjs';
import { connectionsOf, countNow, countsBetween, countSettled, mostOf } from '../../harness/fleet/counters.mjs';
import { StatementLoad } from '../../harness/fleet/statement-load.mjs';

const SIZES = { megabytes: 2, files: 32, statementsMs: 3_000, warmUps: 20, many: 4 };
const SIZES_QUICK = { megabytes: 0.2, files: 4, statementsMs: 300, warmUps: 3, many: 2 };
const ONE_OF_EACH = { 'maintenance-worker': 1, gateway: 1, 'convert-worker': 1, 'query-service': 1 };
/** With the wait for Postgres, two rounds of the sweepers. */
const REST_MS = 9_000;
const REST_QUICK_MS = 500;
const KB = 1_000;

/** What does not depend on the machine: how often the others are asked for one conversion, for one statement, and for nothing. */
export async function* constants(bench) {
  const sizes = bench.quick ? SIZES_QUICK : SIZES;
  const fleet = await bench.newFleet({ queue: 'redis', store: 's3', isWatched: true });
  await fleet.scale(ONE_OF_EACH);
  const conversion = await ConversionLoad.of(bench, { fleet, megabytes: sizes.megabytes });
  const statement = await StatementLoad.of(bench, fleet);
  await conversion.run(2);
  await statement.warmUp(sizes.warmUps);

  const start = await countSettled(fleet, bench);
  const uploads = await conversion.upload(sizes.files);
  const uploaded = await countNow(fleet);
  await conversion.convert(uploads);
  const converting = await connectionsOf(fleet);
  const converted = await countSettled(fleet, bench);
  const { answered } = await statement.run(sizes.statementsMs);
  // Those that rest are closed after a while.
  const postgres = new Map([...converting, ...(await connectionsOf(fleet))]);
  const open = { postgres, redis: (await countNow(fleet)).redis.clients };
  const asked = await countSettled(fleet, bench);
  const rested = await restedAfter(fleet, bench);

  const idle = countsBetween(asked, rested);
  const bytes = sizes.files * conversion.bytes;
  yield* linesOf('an uploaded and converted file', each(countsBetween(start, converted), idle, sizes.files));
  yield* bytesLines({ upload: countsBetween(start, uploaded), conversion: countsBetween(uploaded, converted), bytes });
  yield* linesOf('a statement', each(countsBetween(converted, asked), idle, answered));
  yield* idleLines(bench, { fleet, idle, open, many: sizes.many });
  await fleet.stop();
}

/** Counts again after nobody has asked for anything for a while. */
async function restedAfter(fleet, { quick, signal }) {
  await sleep(quick ? REST_QUICK_MS : REST_MS, undefined, { signal });
  return countSettled(fleet, { quick, signal });
}

/**
 * For one piece of work, without what happens anyway in the same time.
 *
 * @param {ReturnType<typeof countsBetween>} counts
 * @param {ReturnType<typeof countsBetween>} idle
 * @param {number} count
 */
function each(counts, idle, count) {
  const share = counts.seconds / idle.seconds;
  const one = (part, name) => (counts[part][name] - idle[part][name] * share) / count;
  const named = (part) =>
    [...counts[part].byName].map(([name, calls]) => [
      name,
      (calls - (idle[part].byName.get(name) ?? 0) * share) / count,
    ]);
  return { one, named };
}

/** @returns {Generator<import('../../report.mjs').Line>} */
function* linesOf(what, { one, named }) {
  yield amount(`Postgres transactions, ${what}`, one('postgres', 'transactions'));
  yield amount(`Postgres rows written, ${what}`, one('postgres', 'rows'));
  yield amount(`Postgres log, ${what}`, one('postgres', 'walBytes') / KB, { unit: 'kB' });
  yield amount(`Redis commands, ${what}`, one('redis', 'commands'), { note: mostOf(named('redis')) });
  yield amount(`Redis traffic, ${what}`, one('redis', 'bytes') / KB, { unit: 'kB' });
  yield amount(`S3 requests, ${what}`, one('s3', 'requests'), { note: mostOf(named('s3')) });
  yield amount(`S3 traffic, ${what}`, (one('s3', 'receivedBytes') + one('s3', 'sentBytes')) / KB, { unit: 'kB' });
}

/** How much goes to the store and comes from it for each byte of a file. */
function* bytesLines({ upload, conversion, bytes }) {
  const { receivedBytes: stored } = upload.s3;
  const { receivedBytes: written, sentBytes: read } = conversion.s3;
  const parts = { uploaded: stored, read, written };
  const note = Object.entries(parts).map(([name, part]) => `${name} ${(part / bytes).toFixed(2)}`);
  const value = (stored + read + written) / bytes;
  yield amount('bytes to and from S3 for each byte converted', value, { note: note.join(', ') });
}

/** What services do when nobody asks them for anything, and what one more of each adds. */
async function* idleLines(bench, { fleet, idle, open, many }) {
  const few = { transactions: idle.postgres.transactions / idle.seconds, commands: idle.redis.commands / idle.seconds };
  await fleet.scale({ 'convert-worker': many, 'query-service': many });
  const before = await countSettled(fleet, bench);
  const more = countsBetween(before, await restedAfter(fleet, bench));
  const added = (rate, fewRate) => (rate / more.seconds - fewRate) / (many - 1);
  const pair = 'one more convert-worker and query-service';
  const names = [...open.postgres].map(([name, count]) => `${name} ${count}`).join(', ');
  yield amount('Postgres transactions a second, idle, one of each', few.transactions);
  yield amount(`Postgres transactions a second, idle, ${pair}`, added(more.postgres.transactions, few.transactions));
  yield amount('Redis commands a second, idle, one of each', few.commands);
  yield amount(`Redis commands a second, idle, ${pair}`, added(more.redis.commands, few.commands));
  yield amount('connections to Postgres under load, one of each', sum(open.postgres.values()), { note: names });
  yield amount('connections to Redis, one of each', open.redis);
  yield amount(`connections to Redis, ${pair}`, ((await countNow(fleet)).redis.clients - open.redis) / (many - 1));
}

/** @returns {import('../../report.mjs').Line} */
function amount(name, value, { unit = '', note } = {}) {
  return { name, unit, ours: value, compare: 'amount', value, ...(note && { note }) };
}

const sum = (values) => [...values].reduce((total, value) => total + value, 0);
