import { createHash } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import type { DatasetBody } from '@millrace/contract';
import { Analyst } from './analyst.js';
import { filesBelow, type FoundFile } from './files-below.js';
import { startMillrace, type MillraceUnderTest } from './millrace.js';
import { storedKeys } from './stored-files.js';

/** Lines of a file that everybody on this machine can read, and nobody through SQL. */
const passwords = readFileSync('/etc/passwd', 'utf8').trim().split('\n');
/** Of the query service, below the data folder. */
const CACHE_FOLDER = 'engine/query/cache';
const SECRET = 'the bystander alone knows this';
const ROWS = 'SELECT count(*), sum(number) FROM datasets.own';
const HELD = { attacker: [[3, 6]], bystander: [[2, 30]] };

/** Millrace with somebody who attacks it and somebody else who only works, each with a table `own`. */
export class Siege {
  readonly attacker: Analyst;
  private readonly bystander: Analyst;

  private constructor(
    readonly millrace: MillraceUnderTest,
    analysts: readonly [Analyst, Analyst],
    /** The bystander's table, and its tenant. */
    readonly foreign: DatasetBody & { readonly tenantId: string },
  ) {
    [this.attacker, this.bystander] = analysts;
  }

  static async start(variables: Record<string, string> = {}): Promise<Siege> {
    const millrace = await startMillrace(variables);
    const [attacking, working] = [await millrace.newTenant(), await millrace.newTenant()];
    const [attacker, bystander] = [new Analyst(attacking.asAdmin), new Analyst(working.asAdmin)];
    await own(attacker, 'number,word\n1,a\n2,b\n3,c\n');
    const foreign = await own(bystander, `number,word\n10,${SECRET}\n20,${SECRET}\n`);
    return new Siege(millrace, [attacker, bystander], { ...foreign, tenantId: working.tenantId });
  }

  /**
   * What an attack ends with. Meanwhile the bystander asks and gets right answers, and afterwards both do; nothing that
   * was stored or cached has changed, and nothing that is not the attacker's stands in the outcome.
   *
   * @param attack must start with its call, and end in something that JSON can show
   */
  async survive<T>(attack: () => Promise<T>): Promise<T> {
    const before = await this.digests();
    expect(before.size).toBeGreaterThan(0);
    let isOver = false;
    const watch = this.workUntil(() => isOver);
    const outcome = await attack().finally(() => {
      isOver = true;
    });
    expect(await watch).toBeGreaterThan(0);
    expect(await askAnew(this.attacker)).toEqual(HELD.attacker);
    expect(await askAnew(this.bystander)).toEqual(HELD.bystander);
    const after = await this.digests();
    // Raw bytes and old results may be deleted meanwhile; what is still there is as it was.
    for (const [name, digest] of before) expect([name, after.get(name) ?? digest]).toEqual([name, digest]);
    expectNothingForeign(JSON.stringify(outcome));
    return outcome;
  }

  /** Tells the attacker's table from the bystander's where engine processes have them: their sizes differ. */
  async isOfAttacker(): Promise<(file: FoundFile) => boolean> {
    const sizes = new Set<number>();
    for await (const { sizeBytes } of this.millrace.store.list(`t/${this.foreign.tenantId}/`)) sizes.add(sizeBytes);
    return ({ sizeBytes }) => !sizes.has(sizeBytes);
  }

  stop(): Promise<void> {
    return this.millrace.stop();
  }

  /** @returns how many statements of the bystander were answered, all of them rightly */
  private async workUntil(isOver: () => boolean): Promise<number> {
    let answered = 0;
    do {
      expect(await askAnew(this.bystander)).toEqual(HELD.bystander);
      answered += 1;
    } while (!isOver());
    return answered;
  }

  /** Of everything in the store and in the cache. */
  private async digests(): Promise<Map<string, string | undefined>> {
    const { store, dataFolder } = this.millrace;
    const cached = await filesBelow(join(dataFolder, CACHE_FOLDER));
    const stored = await storedKeys(store, 't/');
    const digests = [
      ...cached.map(async ({ name, path }) => [name, await digestOf(async () => createReadStream(path))] as const),
      ...stored.map(async (key) => [key, await digestOf(() => store.get(key))] as const),
    ];
    return new Map((await Promise.all(digests)).filter(([, digest]) => digest !== undefined));
  }
}

/** Of what may go while it is read. */
async function digestOf(open: () => Promise<AsyncIterable<Uint8Array>>): Promise<string | undefined> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of await open()) hash.update(chunk);
  } catch {
    return undefined;
  }
  return hash.digest('hex');
}

async function own(analyst: Analyst, content: string): Promise<DatasetBody> {
  const source = { inline: { format: 'csv' as const, content } };
  const { body } = await analyst.client.call('dataset.create', { body: { label: 'Own', source } });
  await askAnew(analyst);
  return body;
}

/** An earlier result would say nothing of how the engine does. */
async function askAnew(analyst: Analyst): Promise<unknown> {
  return (await analyst.ask(ROWS, { reuse: 'never' })).rows;
}

function expectNothingForeign(text: string): void {
  for (const line of [SECRET, ...passwords]) expect(text).not.toContain(line);
}
