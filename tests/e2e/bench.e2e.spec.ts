import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { NODE } from './harness/millrace-run.js';
import { processesNaming } from './harness/process-list.js';

const BENCH = fileURLToPath(new URL('../../bench/main.mjs', import.meta.url));
/** A start of everything and a small upload, on a machine that is busy with other things. */
const TEST_MAX_MS = 240_000;

interface Run {
  readonly code: number | null;
  readonly output: string;
  readonly complaints: string;
}

describe('npm run bench', () => {
  let folder: string;

  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'millrace-bench-test-'))));
  afterEach(async () => rm(folder, { recursive: true, force: true }));

  async function run(...args: string[]): Promise<Run> {
    const child = spawn(NODE, [BENCH, ...args], { env: { PATH: process.env['PATH'], TMPDIR: folder } });
    const texts = { output: '', complaints: '' };
    child.stdout.on('data', (bytes: Buffer) => (texts.output += bytes.toString()));
    child.stderr.on('data', (bytes: Buffer) => (texts.complaints += bytes.toString()));
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, ...texts };
  }

  it(
    'measures what is asked for, prints a table, writes the figures and leaves nothing behind',
    async () => {
      const json = join(folder, 'figures.json');
      const { code, output, complaints } = await run('--quick', '--only', 'upload', '--json', json);
      expect({ code, complaints }).toEqual({ code: 0, complaints: 'upload …\n  upload of 64 MB\n' });
      const [head = '', first = '', second = ''] = output.trim().split('\n');
      expect(head).toMatch(/^measurement +Millrace +against +compared +CPU +aim +met$/);
      expect(first).toMatch(/^upload of 64 MB +[\d.]+ MB\/s +[\d.]+ MB\/s +\d\.\d\d +.*≥ 0\.8 +(yes|NO)$/);
      expect(second).toMatch(/^event-loop delay p99, upload +[\d.]+ ms +≤ 50 ms +(yes|NO)$/);
      expect(output).toMatch(/\n\d of 2 aims met\.\n$/);
      expect(JSON.parse(await readFile(json, 'utf8'))).toMatchObject({
        quick: true,
        lines: [{ name: 'upload of 64 MB', unit: 'MB/s', compare: 'ratio' }, { unit: 'ms' }],
      });
      expect(await readdir(folder)).toEqual(['figures.json']);
      expect(await processesNaming(folder)).toEqual([]);
    },
    TEST_MAX_MS,
  );

  it(
    'gives up when its time is over, and leaves nothing behind',
    async () => {
      const { code, complaints } = await run('--only', 'upload', '--minutes', '0.02');
      expect({ code, complaints }).toEqual({ code: 1, complaints: 'upload …\nThe time is over: --minutes 0.02.\n' });
      expect(await readdir(folder)).toEqual([]);
      expect(await processesNaming(folder)).toEqual([]);
    },
    TEST_MAX_MS,
  );

  it('explains itself, and what it does not understand', async () => {
    const help = await run('--help');
    expect(help).toMatchObject({ code: 0, complaints: '' });
    expect(help.output).toMatch(/^ {2}upload +\S/m);
    const wrong = await run('--only', 'downloads');
    expect(wrong).toMatchObject({ code: 2, output: '' });
    expect(wrong.complaints).toContain('There is no measurement "downloads".');
    await expect(run('--fast')).resolves.toMatchObject({ code: 2, complaints: expect.stringContaining("'--fast'") });
  });
});
