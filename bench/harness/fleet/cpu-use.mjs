import { readFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { childrenOf, commandOf, cpuTimesOf } from '../processes.mjs';

/**
 * What the processes below the benchmark are, by the words they were started with; the first that fits counts. What is below
 * one of them and fits nothing itself is `below`, also after it has ended.
 */
const ROLES = [
  { kind: 'gateway', pattern: /\/gateway\/dist\/main\.js/ },
  { kind: 'query-service', pattern: /\/query-service\/dist\/main\.js/, below: 'query engine' },
  { kind: 'convert-worker', pattern: /\/convert-worker\/dist\/main\.js/, below: 'conversion engine' },
  { kind: 'maintenance-worker', pattern: /\/maintenance-worker\/dist\/main\.js/ },
  { kind: 'empty worker', pattern: /empty-worker-program\.mjs/ },
  { kind: 'balancer', pattern: /balancer-program\.mjs/ },
  { kind: 'Redis', pattern: /redis-server/ },
  { kind: 'S3 server', pattern: /s3rver-process\.js/ },
  { kind: 'Postgres', pattern: /postgres/ },
];

/** The benchmark itself. */
const CLIENT = 'client';

const KINDS_SHOWN_MAX = 5;
const PROCESSES_SHOWN_MAX = 3;

/** From this share on nothing more can be had of something. */
const FULL = 0.85;

/** What CPU time there was at one moment, in seconds. */
export class CpuSample {
  /** Of each kind of processes. @type {Map<string, number>} */
  byKind = new Map();
  /** Of each process that has one thread for its work. @type {Map<number, { kind: string, seconds: number }>} */
  byService = new Map();
  atMs = performance.now();

  /** The processes below this one, and this one as the client. @returns {Promise<CpuSample>} */
  static async take() {
    const sample = new CpuSample();
    const { own } = await cpuTimesOf(process.pid);
    sample.#add('client', own);
    await Promise.all((await childrenOf(process.pid)).map((pid) => sample.#walk(pid, undefined)));
    sample.machine = await machineSeconds();
    return sample;
  }

  /** @param {number} pid @param {string | undefined} inherited the kind of what is below its parent */
  async #walk(pid, inherited) {
    const [command, { own, ended }, children] = await Promise.all([commandOf(pid), cpuTimesOf(pid), childrenOf(pid)]);
    const role = inherited === undefined ? ROLES.find(({ pattern }) => pattern.test(command)) : undefined;
    const kind = role?.kind ?? inherited ?? 'other';
    const below = role?.below ?? kind;
    this.#add(kind, own);
    this.#add(below, ended);
    if (role && role.kind !== 'Postgres') this.byService.set(pid, { kind, seconds: own });
    await Promise.all(children.map((child) => this.#walk(child, below)));
  }

  #add(kind, seconds) {
    this.byKind.set(kind, (this.byKind.get(kind) ?? 0) + seconds);
  }
}

/** What was used between two moments. */
export class CpuUse {
  /** @param {CpuSample} before @param {CpuSample} after */
  constructor(before, after) {
    const elapsedS = (after.atMs - before.atMs) / 1_000;
    const differences = [...after.byKind].map(([kind, end]) => [kind, end - (before.byKind.get(kind) ?? 0)]);
    /** Seconds, the most first. @type {ReadonlyMap<string, number>} */
    this.byKind = new Map(differences.filter(([, used]) => used > 0).sort(([, a], [, b]) => b - a));
    /** Of all cores. */
    this.machineShare = Math.min(1, (after.machine - before.machine) / (elapsedS * cpus().length));
    const ours = (this.seconds() + this.seconds([CLIENT])) / (elapsedS * cpus().length);
    this.othersShare = Math.max(0, this.machineShare - ours);
    /** The processes that work on one core each, with their shares of it, the busiest first. */
    this.services = sharesOf(before, after, elapsedS);
  }

  /** @param {readonly string[]} [kinds] all but the client of the benchmark, when left out */
  seconds(kinds) {
    const counts = (kind) => (kinds ? kinds.includes(kind) : kind !== CLIENT);
    return [...this.byKind].reduce((sum, [kind, used]) => (counts(kind) ? sum + used : sum), 0);
  }

  /** What holds everything up: the cores, or one process that works on one of them; undefined when nothing is full. */
  get bottleneck() {
    if (this.machineShare >= FULL) return 'the cores';
    const [busiest] = this.services;
    return busiest && busiest.share >= FULL ? busiest.kind : undefined;
  }

  describe() {
    const all = this.seconds() + this.seconds([CLIENT]);
    const kinds = [...this.byKind].slice(0, KINDS_SHOWN_MAX).map(([kind, used]) => `${kind} ${percent(used / all)}`);
    const processes = this.services.slice(0, PROCESSES_SHOWN_MAX).map(({ kind, share }) => `${kind} ${percent(share)}`);
    const machine = `${percent(this.machineShare)} busy, ${percent(this.othersShare)} by others`;
    return `full: ${this.bottleneck ?? 'nothing'} (${machine}); CPU: ${kinds.join(', ')}; of a core: ${processes.join(', ')}`;
  }

  /** Milliseconds of each kind for each of so many pieces of work. @param {number} count */
  describeEach(count) {
    const parts = [...this.byKind].map(([kind, used]) => `${kind} ${((1_000 * used) / count).toFixed(1)}`);
    return parts.join(', ');
  }
}

function sharesOf(before, after, elapsedS) {
  const shares = [...after.byService].map(([pid, { kind, seconds }]) => ({
    kind,
    share: (seconds - (before.byService.get(pid)?.seconds ?? 0)) / elapsedS,
  }));
  return shares.sort((a, b) => b.share - a.share);
}

/** What all cores have done for anybody. 0 where there is no `/proc`. */
async function machineSeconds() {
  const [first = ''] = (await readFile('/proc/stat', 'utf8').catch(() => '')).split('\n');
  const [user = 0, nice = 0, system = 0, , , irq = 0, softIrq = 0] = first.split(/\s+/).slice(1).map(Number);
  return (user + nice + system + irq + softIrq) / 100;
}

const percent = (share) => `${Math.round(100 * share)} %`;
