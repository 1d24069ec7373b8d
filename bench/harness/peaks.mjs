import { setTimeout as sleep } from 'node:timers/promises';
import { commandOf, peakBytesOf, treeOf } from './processes.mjs';

const LOOK_EVERY_MS = 50;

/** What the processes below a service are, by the words they were started with; the first that fits counts. */
const KINDS = [
  { kind: 'engine, parsing', pattern: /"role":"parse"/ },
  { kind: 'engine, conversions', pattern: /\/engine\/convert\// },
  { kind: 'engine, queries', pattern: /\/engine\/query\// },
  { kind: 'services', pattern: /\/standalone\/dist\/main\.js/ },
  { kind: 'Postgres', pattern: /postgres/ },
];

/** Looks at the processes of a service again and again, because what ends takes its figures along. */
export class Peaks {
  #bytes = new Map();
  #stop = new AbortController();
  #done;

  /** @param {number} rootPid */
  constructor(rootPid) {
    this.#done = this.#watch(rootPid);
  }

  /** @returns {ReadonlyMap<string, number>} the most that one process of each kind had so far, in bytes */
  get bytes() {
    return this.#bytes;
  }

  async stop() {
    this.#stop.abort();
    await this.#done;
  }

  async #watch(rootPid) {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await Promise.all((await treeOf(rootPid)).map((pid) => this.#look(pid)));
      await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  async #look(pid) {
    const [command, bytes] = await Promise.all([commandOf(pid), peakBytesOf(pid)]);
    const kind = KINDS.find(({ pattern }) => pattern.test(command))?.kind;
    if (kind) this.#bytes.set(kind, Math.max(bytes, this.#bytes.get(kind) ?? 0));
  }
}
