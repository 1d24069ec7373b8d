import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { DomainError } from '@millrace/domain';
import { ChildSetup } from '../src/pool/child-setup.js';
import type { EngineChild } from '../src/pool/engine-child.js';
import { DEFAULT_ENGINE_OPTIONS } from '../src/pool/engine-options.js';
import type { LyingChildren } from './lying-child.js';

const INSTANCE = join(createRequire(import.meta.url).resolve('@millrace/engine/child'), '../engine-instance.js');

/** Runs any text at all on the instance that ours has: as if the gate, and the child's own look at it, had a hole. */
const PROGRAM = `
import { deserialize } from 'node:v8';
import { EngineInstance } from ${JSON.stringify(pathToFileURL(INSTANCE).href)};
const instance = new EngineInstance(JSON.parse(process.argv[2]));
await instance.open();
say({ type: 'ready', dataBytes: 1 });
const text = (value) => JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? String(each) : each));
const run = (sql) => instance.use([], async (connection) => (await connection.runAndReadAll(sql)).getRowObjectsJson());
onTask(async (bytes) => {
  const { task } = deserialize(bytes.subarray(8));
  const outcome = await run(task.sql).then((rows) => ({ rows }), (error) => ({ error: error.message.slice(0, 5_000) }));
  const answer = { columns: [], rowCount: 1, rowsReturned: 1, truncated: false, executionTimeMs: 1 };
  say({ type: 'answer', answer, dataBytes: 1 }, text([[outcome]]));
});`;

const ANSWER_BYTES_MAX = 16 * 1024 ** 2;

export interface Outcome {
  readonly rows?: readonly Record<string, unknown>[];
  readonly error?: string;
}

/** An engine process that runs whatever it is given. */
export class UngatedChild {
  private constructor(readonly child: EngineChild) {}

  /** As the strongest that this machine can do, like a child of a pool. */
  static async start(children: LyingChildren): Promise<UngatedChild> {
    const { found } = await ChildSetup.choose(DEFAULT_ENGINE_OPTIONS, async ({ users, guards }) =>
      children.start(PROGRAM, { user: users.take(), guards }),
    );
    return new UngatedChild(found);
  }

  /** What comes of a text; that it was lost when its process ended. */
  async run(sql: string): Promise<Outcome> {
    const limits = { rowsMax: 1, answerBytesMax: ANSWER_BYTES_MAX, resultBytesMax: 1 };
    const task = { kind: 'query', sql, inputs: [], ...limits, outputPath: randomBytes(4).toString('hex') } as const;
    try {
      const answer = await this.child.execute(task, { deadlineAt: performance.now() + 20_000 });
      const [[outcome]] = JSON.parse('rowsJson' in answer ? answer.rowsJson : '') as [[Outcome]];
      return outcome;
    } catch (error) {
      if (error instanceof DomainError) return { error: error.code };
      throw error;
    }
  }
}
