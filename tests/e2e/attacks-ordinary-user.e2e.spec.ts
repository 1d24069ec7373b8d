import { readFile, readlink, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { Analyst } from './harness/analyst.js';
import { filesBelow } from './harness/files-below.js';
import type { MillraceRun } from './harness/millrace-run.js';
import { ordinaryUser } from './harness/ordinary-user.js';
import { disposeLeftovers, MillraceOnFolder } from './harness/process.js';
import { killWorkingEngines } from './harness/working-engines.js';

const TEST_MAX_MS = 180_000;
const ENDLESS = 'SELECT count(*) FROM datasets.t1, range(100000000000) WHERE hash(range + a) = 1';

const ordinary = ordinaryUser();

describe(`an attack on a service that runs as ${ordinary.description}`, () => {
  let millrace: MillraceOnFolder;
  let run: MillraceRun;
  let attacker: Analyst;

  beforeAll(async () => {
    const variables = { QUERY_MEMORY_BYTES: String(768 * 1024 * 1024) };
    millrace = await MillraceOnFolder.create({ user: ordinary.user, variables });
    run = await millrace.start();
    attacker = new Analyst(run.asAdmin);
    await attacker.convert(await attacker.upload({ bytes: 'a\n1\n2\n', type: 'text/csv' }));
  }, TEST_MAX_MS);
  afterAll(disposeLeftovers, TEST_MAX_MS);

  /** The file of the table, in the store. */
  const stored = async (): Promise<Buffer> => {
    const files = await filesBelow(join(millrace.dataFolder, 'objects'));
    return readFile(files.find(({ name }) => name.includes('/datasets/'))?.path ?? '');
  };

  it.each([
    ["FROM read_text('/etc/passwd')", 'sql.not_allowed'],
    ["FROM '/etc/passwd'", 'table.unknown'],
    ["COPY (SELECT 1) TO '/tmp/millrace-stolen.csv'", 'sql.not_allowed'],
    ["SELECT length(repeat('x', 4000000000))", 'query.memory'],
    ["SELECT levenshtein(repeat('ab', 60000), repeat('ba', 60000))", 'query.deadline'],
  ])(
    'ends as it does for root: %s',
    async (sql, code) => {
      const before = await stored();
      const problem = await attacker.refusedSql(sql, { timeout_ms: code === 'query.deadline' ? 1_000 : 60_000 });
      expect(problem).toMatchObject({ code });
      expect(await attacker.rows('SELECT sum(a) FROM datasets.t1')).toEqual([[3]]);
      expect(await stored()).toEqual(before);
      expect(run.complaints).toBe('');
    },
    TEST_MAX_MS,
  );

  it(
    'meets an engine process without privileges and network, whose inputs are read-only',
    async () => {
      const ended = attacker.refusedSql(ENDLESS, { timeout_ms: 120_000 });
      const enginesFolder = join(millrace.dataFolder, 'engine', 'query');
      const input = await eventually('it has its input', async () =>
        (await filesBelow(enginesFolder)).find(({ path }) => /\/inputs\/[^/]+$/.test(path)),
      );
      expect((await stat(input.path)).mode & 0o777).toBe(0o444);
      expect((await stat(dirname(input.path))).mode & 0o777).toBe(0o555);
      const engines = (await millrace.processes()).filter(({ command }) => command.includes('child/main.js'));
      expect(engines.length).toBeGreaterThan(0);
      // Some systems let nobody ordinary make namespaces; then the log says so.
      const log = await readFile(join(millrace.dataFolder, 'millrace.log'), 'utf8');
      const staysInNetwork = log.includes('unshare does not work');
      for (const { pid } of engines) {
        const status = await readFile(`/proc/${pid}/status`, 'utf8');
        expect(status).toMatch(/^NoNewPrivs:\t1$/m);
        expect(status).toMatch(/^CapEff:\t0+$/m);
        expect((await stat(`/proc/${pid}`)).uid).toBe((await stat(`/proc/${run.pid}`)).uid);
        const networks = await Promise.all([pid, run.pid].map((each) => readlink(`/proc/${each}/ns/net`)));
        expect(networks[0] === networks[1]).toBe(staysInNetwork);
      }
      await eventually('it is killed', async () => (await killWorkingEngines(enginesFolder)) > 0);
      expect(await ended).toMatchObject({ code: 'query.crashed' });
      expect(await attacker.rows('SELECT sum(a) FROM datasets.t1')).toEqual([[3]]);
    },
    TEST_MAX_MS,
  );
});
