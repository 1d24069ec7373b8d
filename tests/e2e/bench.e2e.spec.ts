import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { NODE } from './harness/millrace-run.js';
import { processesNaming } from './harness/process-list.js';

const BENCH = fileURLToPath(new URL('../../bench/main.mjs', import.meta.url));
/** A start of everything and a small upload, on a machine that is busy with other things. */
const TEST_MAX_MS = 240_000;
/** Five times as many processes, with Redis and S3. */
const SCALE_TEST_MAX_MS = 600_000;

interface Run {
  readonly code: number | null;
  readonly output: string;
  readonly complaints: string;
}

interface Figures {
  readonly lines: readonly { readonly name: string; readonly value: number; readonly raw?: number }[];
}

describe('npm run bench', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-bench-test-'));
    // Programs of Postgres lie in it then, which runs as another user.
    await chmod(folder, 0o711);
  });
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
    'measures services as processes of their own, and counts what one job costs',
    async () => {
      const json = join(folder, 'figures.json');
      const { code, complaints } = await run('--quick', '--only', 'scale', '--json', json);
      expect({ code, complaints }).toEqual({ code: 0, complaints: expect.stringMatching(/^scale …\n( {2}\S.*\n)+$/) });
      const { lines } = JSON.parse(await readFile(json, 'utf8')) as Figures;
      const figure = (name: string): number => lines.find((line) => line.name === name)?.value ?? NaN;
      expect(lines.filter(({ value }) => !Number.isFinite(value))).toEqual([]);
      expect(figure('conversion of 4 files of 0.2 MB, 2 convert-workers')).toBeGreaterThan(0);
      expect(figure('statements of 8 clients, 2 query-services')).toBeGreaterThan(0);
      // The file goes up, is read by the worker, and comes back smaller; its upload is deleted then, or later.
      const perByte = figure('bytes to and from S3 for each byte converted');
      expect(perByte).toBeGreaterThan(2);
      expect(perByte).toBeLessThan(3);
      expect(figure('S3 requests, an uploaded and converted file')).toBeGreaterThanOrEqual(3);
      expect(figure('Redis commands, an uploaded and converted file')).toBeGreaterThan(1);
      const cpu = lines.find(({ name }) => name === 'CPU of dispatch and queue, a job');
      expect(cpu?.value).toBeGreaterThan(0);
      expect(cpu?.raw).toBeGreaterThan(0);
      expect(await readdir(folder)).toEqual(['figures.json']);
      expect(await processesNaming(folder)).toEqual([]);
    },
    SCALE_TEST_MAX_MS,
  );

  it.each(['upload', 'scale'])(
    'gives up %s when its time is over, and leaves nothing behind',
    async (name) => {
      const { code, complaints } = await run('--only', name, '--minutes', '0.02');
      expect({ code, complaints }).toEqual({ code: 1, complaints: `${name} …\nThe time is over: --minutes 0.02.\n` });
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
