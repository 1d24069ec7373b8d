import { readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ProblemError } from '@millrace/contract';
import fc from 'fast-check';
import { mutatedStatement } from './harness/mutated-statements.js';
import { Siege } from './harness/siege.js';

const TEST_MAX_MS = 300_000;
/** Printed; put one here to see the same statements again. */
const SEED = Math.floor(Math.random() * 2 ** 31);
const STATEMENTS = 600;
const AT_ONCE = 4;

/** Lines of a file that is in many of the statements; not short ones, which may stand in them by accident. */
const passwords = readFileSync('/etc/passwd', 'utf8').trim().split('\n');

/** What DuckDB says, and the gate never does, of a table or a file that it was asked for: it was not resolved. */
const UNRESOLVED = /Table with name|A statement reads tables of the catalog only|file system operations are disabled/;
/** A mistake of the statement, or too much of something. */
const TYPED =
  /^(sql\.(empty|syntax|invalid|failed|not_allowed)|(table|column|function)\.unknown|params\.invalid|request\.(invalid|malformed)|query\.(deadline|memory|result_too_large))$/;

describe('an attack by many statements that nobody has thought of', () => {
  let siege: Siege;

  beforeAll(async () => {
    siege = await Siege.start();
  });
  afterAll(() => siege.stop());

  let answered = 0;

  /** What is wrong with how a statement ended. */
  async function wrongWith(sql: string): Promise<string | undefined> {
    const { outcome, text } = await endOf(sql);
    if (outcome === 'answered') answered += 1;
    if (outcome !== 'answered' && !TYPED.test(outcome)) return outcome;
    if (UNRESOLVED.test(text)) return 'something that was not resolved came to DuckDB';
    const leak = [siege.millrace.dataFolder, 'enable_external_access', ...passwords].find((word) =>
      text.includes(word),
    );
    return leak === undefined ? undefined : `it tells ${leak}`;
  }

  async function endOf(sql: string): Promise<{ outcome: string; text: string }> {
    try {
      const answer = await siege.attacker.look(sql, { timeout_ms: 5_000, limit_rows: 100 });
      return { outcome: 'answered', text: JSON.stringify(answer) };
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      return { outcome: error.problem.code, text: JSON.stringify(error.problem) };
    }
  }

  it(
    'ends each in an answer or a typed error, and brings nothing to DuckDB that was not resolved',
    async () => {
      process.stderr.write(`The statements are those of seed ${SEED}.\n`);
      const left = fc.sample(mutatedStatement, { seed: SEED, numRuns: STATEMENTS });
      const wrong: { sql: string; reason: string }[] = [];
      const workOff = async (): Promise<void> => {
        for (let sql = left.pop(); sql !== undefined; sql = left.pop()) {
          const reason = await wrongWith(sql);
          if (reason !== undefined) wrong.push({ sql, reason });
        }
      };
      await siege.survive(async () => {
        await Promise.all(Array.from({ length: AT_ONCE }, workOff));
        return 'over';
      });
      expect(wrong).toEqual([]);
      // Many are harmless, and all of those came to DuckDB.
      expect(answered).toBeGreaterThan(STATEMENTS / 20);
      expect(await readdir('/tmp')).not.toContain('millrace-fuzz');
    },
    TEST_MAX_MS,
  );
});
