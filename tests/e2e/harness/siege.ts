import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import type { DatasetBody } from '@millrace/contract';
import { Analyst } from './analyst.js';
import { filesBelow, type FoundFile } from './files-below.js';
import { startMillrace, type MillraceUnderTest } from './millrace.js';

/** Lines of a file that everybody on this machine can read, and nobody through SQL. */
const passwords = readFileSync('/etc/passwd', 'utf8').trim().split('\n');
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
    let isOver = false;
    const watch = this.workUntil(() => isOver);
    const outcome = await attack().finally(() => {
      isOver = true;
    });
    expect(await watch).toBeGreaterThan(0);
    expect(await this.attacker.rows(ROWS)).toEqual(HELD.attacker);
    expect(await this.bystander.rows(ROWS)).toEqual(HELD.bystander);
    const after = await this.digests();
    // Raw bytes and old results may be deleted meanwhile; what is still there is as it was.
    for (const [name, digest] of before) expect([name, after.get(name) ?? digest]).toEqual([name, digest]);
    expectNothingForeign(JSON.stringify(outcome));
    return outcome;
  }

  /** Tells the attacker's table from the bystander's where both lie: their sizes differ. */
  async isOfAttacker(): Promise<(file: FoundFile) => boolean> {
    const foreign = await filesBelow(join(this.millrace.dataFolder, 'objects', 't', this.foreign.tenantId));
    const sizes = new Set(foreign.map(({ sizeBytes }) => sizeBytes));
    return ({ sizeBytes }) => !sizes.has(sizeBytes);
  }

  stop(): Promise<void> {
    return this.millrace.stop();
  }

  /** @returns how many statements of the bystander were answered, all of them rightly */
  private async workUntil(isOver: () => boolean): Promise<number> {
    let answered = 0;
    do {
      expect(await this.bystander.rows(ROWS)).toEqual(HELD.bystander);
      answered += 1;
    } while (!isOver());
    return answered;
  }

  /** Of everything in the store and in the cache. */
  private async digests(): Promise<Map<string, string>> {
    const digests = new Map<string, string>();
    for (const { name, path } of await filesBelow(this.millrace.dataFolder)) {
      if (!/^(objects|engine\/query\/cache)\//.test(name)) continue;
      const bytes = await readFile(path).catch(() => undefined);
      if (bytes) digests.set(name, createHash('sha256').update(bytes).digest('hex'));
    }
    return digests;
  }
}

async function own(analyst: Analyst, content: string): Promise<DatasetBody> {
  const source = { inline: { format: 'csv' as const, content } };
  const { body } = await analyst.client.call('dataset.create', { body: { label: 'Own', source } });
  await analyst.rows(ROWS);
  return body;
}

function expectNothingForeign(text: string): void {
  for (const line of [SECRET, ...passwords]) expect(text).not.toContain(line);
}
