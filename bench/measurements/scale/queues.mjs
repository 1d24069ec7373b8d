import { newId } from '@millrace/domain';
import { countNow, countsBetween, countSettled, mostOf } from '../../harness/fleet/counters.mjs';
import { CpuSample, CpuUse } from '../../harness/fleet/cpu-use.mjs';
import { EmptyJobs } from '../../harness/fleet/jobs.mjs';
import { EmptyWorker } from '../../harness/fleet/empty-worker.mjs';
import { median, quantile } from '../../harness/statistics.mjs';

const SIZES = { jobs: 1_500, runs: 3, single: 20, idleTenants: 2_000 };
const SIZES_QUICK = { jobs: 60, runs: 1, single: 3, idleTenants: 100 };
const TENANTS = 8;
const WARM_UPS = 100;
/** What the admission, both sides of the queue and the ledger take for one job, wherever they run. */
const CPU_AIM = { max: 5 };
const PARTS = ['maintenance-worker', 'empty worker', 'Redis', 'Postgres'];

/** Jobs that do nothing: what is left is dispatch and queue. On Redis, and on Postgres. */
export async function* queues(bench) {
  const sizes = bench.quick ? SIZES_QUICK : SIZES;
  const [onRedis, onPostgres] = [await Side.open(bench, 'redis'), await Side.open(bench, 'postgres')];
  const sides = [onRedis, onPostgres];
  for (const side of sides) await side.begin();
  for (let run = 0; run < sizes.runs; run += 1) {
    for (const side of run % 2 === 0 ? sides : sides.toReversed()) await side.run(sizes.jobs);
  }
  for (const side of sides) await side.runSingly(sizes.single);
  for (const side of sides) await side.end();
  yield* linesOf({ ours: onRedis, raw: onPostgres });
  await onPostgres.stop();
  yield* crowdLines(onRedis, sizes);
  await onRedis.stop();
}

/** One of both: where the queue is, with who sends and who receives. */
class Side {
  #counted;
  /** @type {{ rate: number, use: CpuUse, counts: ReturnType<typeof countsBetween> }[]} */
  runs = [];
  waitsMs = [];
  jobCount = 0;

  constructor({ fleet, worker, jobs, bench }) {
    this.fleet = fleet;
    this.worker = worker;
    this.jobs = jobs;
    this.bench = bench;
  }

  /** @param {import('../../harness/bench.mjs').Bench} bench @param {'redis' | 'postgres'} queue */
  static async open(bench, queue) {
    const fleet = await bench.newFleet({ queue, store: 'folder' });
    await fleet.scale({ 'maintenance-worker': 1 });
    const worker = bench.ending(await EmptyWorker.start(fleet));
    return new Side({ fleet, worker, jobs: await EmptyJobs.of(fleet, TENANTS), bench });
  }

  /** Warms up, and counts. */
  async begin() {
    await this.jobs.run(WARM_UPS, this.bench);
    this.#counted = await countSettled(this.fleet, this.bench);
  }

  /** @param {number} count */
  async run(count) {
    this.runs.push(await this.measure(count));
    this.jobCount += count;
  }

  /** @param {number} count @returns {Promise<Side['runs'][number]>} */
  async measure(count) {
    const { signal } = this.bench;
    let before;
    let counted;
    const onMade = async () => {
      counted = await countNow(this.fleet);
      before = await CpuSample.take();
    };
    const { seconds } = await this.jobs.run(count, { signal, onMade });
    const use = new CpuUse(before, await CpuSample.take());
    const counts = countsBetween(counted, await countNow(this.fleet));
    return { rate: count / seconds, use, counts };
  }

  /** One after the other: what a job waits for when nothing else is there to be done. @param {number} count */
  async runSingly(count) {
    for (let index = 0; index < count; index += 1) {
      this.waitsMs.push(...(await this.jobs.run(1, this.bench)).waitsMs);
    }
    this.jobCount += count;
  }

  async end() {
    this.total = countsBetween(this.#counted, await countSettled(this.fleet, this.bench));
  }

  async stop() {
    await this.worker.stop();
    await this.fleet.stop();
  }

  /** Of one job of the runs in which there were many. @param {(run: Side['runs'][number]) => number} figureOf */
  each(figureOf) {
    const jobs = this.jobCount - this.waitsMs.length;
    return this.runs.reduce((sum, run) => sum + figureOf(run), 0) / jobs;
  }
}

/** Whose turn it is, is looked up among all tenants: what those cost who have nothing to do. */
async function* crowdLines(side, { jobs, idleTenants }) {
  const ids = Array.from({ length: idleTenants }, () => newId('tenant'));
  await side.fleet.rows(`INSERT INTO tenants (tenant_id, name) SELECT unnest($1::text[]), 'idle'`, [ids]);
  const alone = side.runs.at(-1);
  const crowded = await side.measure(jobs);
  const both = (figureOf) => ratio({ ours: figureOf(crowded), raw: figureOf(alone) });
  const among = `among ${idleTenants.toLocaleString('en')} idle tenants, against none`;
  const cpu = both(({ use }) => (1_000 * use.seconds(PARTS)) / jobs);
  yield { name: `empty jobs ${among}`, unit: 'jobs/s', ...both(({ rate }) => rate) };
  yield {
    name: `CPU of dispatch and queue ${among}`,
    unit: 'ms',
    ...cpu,
    note: `ms: ${crowded.use.describeEach(jobs)}`,
  };
}

/** @param {{ ours: Side, raw: Side }} sides @returns {Generator<import('../../report.mjs').Line>} */
function* linesOf({ ours, raw }) {
  const both = (figureOf) => ({ ours: figureOf(ours), raw: figureOf(raw) });
  const rates = both(({ runs }) => median(runs.map(({ rate }) => rate)));
  yield { name: 'empty jobs, Redis against Postgres', unit: 'jobs/s', ...ratio(rates), note: noteOf(ours) };
  for (const [which, share] of Object.entries({ p50: 0.5, p95: 0.95 })) {
    const waits = both(({ waitsMs }) => quantile(waitsMs, share));
    yield { name: `wait of a single job ${which}, Redis against Postgres`, unit: 'ms', ...ratio(waits) };
  }
  const cpuMs = both((side) => 1_000 * side.each(({ use }) => use.seconds(PARTS)));
  const line = { name: 'CPU of dispatch and queue, a job', unit: 'ms', ...cpuMs, compare: 'amount', value: cpuMs.ours };
  yield { ...line, aim: CPU_AIM, note: `ms on Redis: ${partsOf(ours)}; on Postgres: ${partsOf(raw)}` };
  yield* countLines(both, commandsOf(ours));
}

/** Commits and rows are known only after a while; they are those of all runs, with what happens anyway. */
function* countLines(both, commands) {
  const lines = {
    'Postgres transactions, a job': both(({ total, jobCount }) => total.postgres.transactions / jobCount),
    'Postgres rows written, a job': both(({ total, jobCount }) => total.postgres.rows / jobCount),
    'Postgres log, a job': both((side) => side.each(({ counts }) => counts.postgres.walBytes) / 1_000),
    'Redis commands, a job': both((side) => side.each(({ counts }) => counts.redis.commands)),
  };
  for (const [name, figures] of Object.entries(lines)) {
    const unit = name.includes('log') ? 'kB' : '';
    const line = figures.raw > 0 ? ratio(figures) : { ours: figures.ours, compare: 'amount', value: figures.ours };
    yield {
      name: `${name}, Redis against Postgres`,
      unit,
      ...line,
      ...(name.startsWith('Redis') && { note: commands }),
    };
  }
}

const ratio = ({ ours, raw }) => ({ ours, raw, compare: /** @type {const} */ ('ratio'), value: ours / raw });

/** @param {Side} side */
function noteOf({ runs }) {
  return runs.at(-1)?.use.describe();
}

/** @param {Side} side */
function commandsOf(side) {
  const names = [...(side.runs.at(-1)?.counts.redis.byName.keys() ?? [])];
  return mostOf(names.map((name) => [name, side.each(({ counts }) => counts.redis.byName.get(name) ?? 0)]));
}

/** @param {Side} side */
function partsOf(side) {
  return PARTS.map((kind) => `${kind} ${(1_000 * side.each(({ use }) => use.seconds([kind]))).toFixed(1)}`).join(', ');
}
