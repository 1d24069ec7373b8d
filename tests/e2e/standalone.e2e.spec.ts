import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { rm, stat } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { HELD_UPLOAD_BYTES, holdUpload, untilUploading } from './harness/held-upload.js';
import type { MillraceRun } from './harness/millrace-run.js';
import { ordinaryUser } from './harness/ordinary-user.js';
import { disposeLeftovers, MillraceOnFolder } from './harness/process.js';

const execute = promisify(execFile);

/** Several starts, each of which takes seconds on a machine that is busy with other things. */
const TEST_MAX_MS = 180_000;

describe('npm start', () => {
  afterEach(disposeLeftovers);

  const onFolder = (work: (millrace: MillraceOnFolder) => Promise<void>) => () => MillraceOnFolder.use(work);

  it(
    'makes a folder, and prints an address, a key and commands that work when they are pasted',
    onFolder(async (millrace) => {
      const run = await millrace.start();
      const { url, api_key: key } = run.credentials;
      expect(run.output).toContain(`Address   ${url}\n`);
      expect(run.output).toContain(`API key   ${key}  (new)\n`);
      expect(run.complaints).toBe('');
      expect(await modesIn(millrace.dataFolder, ['credentials.json', 'millrace.log', 'lock', '.'])).toEqual([
        ...['600', '600', '600', '711'],
      ]);

      const answers = [];
      for (const command of commandsIn(run.output)) answers.push(await paste(command));
      expect(answers).toMatchObject([
        { table_name: 'first', status: 'ready', row_count: 3 },
        { columns: ['region', 'total'], total_row_count: 2 },
      ]);

      const other = millrace.spawn();
      await expect(other.end()).resolves.toEqual({ code: 1, signal: null });
      expect(other.complaints.trim()).toBe(
        `Another Millrace already runs on ${millrace.dataFolder}. Stop it, or choose another folder with DATA_DIR.`,
      );
      await expect(paste(commandsIn(run.output)[1])).resolves.toMatchObject({ total_row_count: 2 });
    }),
    TEST_MAX_MS,
  );

  it.each<[NodeJS.Signals, string, Drain]>([
    ['SIGTERM', 'as a supervisor sends it', { send: (run) => run.signal('SIGTERM'), query: true }],
    ['SIGINT', 'as a terminal sends it', { send: (run) => run.signalGroup('SIGINT'), query: false }],
  ])(
    'lets what runs end at %s, %s, and finds everything again at the next start',
    (_signal, _how, drained) =>
      MillraceOnFolder.use(async (millrace) => {
        const first = await millrace.start();
        await createTable(first);
        await drain(millrace, first, drained);

        const port = await freePort();
        const second = await millrace.start({ PORT: String(port) });
        expect(second.credentials).toEqual({ ...first.credentials, url: `http://127.0.0.1:${port}` });
        expect(second.output).not.toContain('(new)');
        await expect(countOf(second, 'kept')).resolves.toEqual([[2]]);
        const uploads = await second.asAdmin.call('file.list', { query: { status: 'pending' } });
        expect(uploads.body.uploads).toMatchObject([{ size_bytes: HELD_UPLOAD_BYTES }]);
        expect(await Promise.all(commandsIn(second.output).map(paste))).toMatchObject([{ datasets: [{}] }]);
      }),
    TEST_MAX_MS,
  );

  it(
    'makes a new key when the file with it was lost',
    onFolder(async (millrace) => {
      const first = await millrace.start();
      await createTable(first);
      first.signal('SIGTERM');
      await first.end();
      await rm(join(millrace.dataFolder, 'credentials.json'));
      const second = await millrace.start();
      expect(second.credentials.api_key).not.toBe(first.credentials.api_key);
      expect(second.output).toContain(`API key   ${second.credentials.api_key}  (new)\n`);
      await expect(countOf(second, 'kept')).resolves.toEqual([[2]]);
    }),
    TEST_MAX_MS,
  );

  it(
    'says which port is in use, before anything is started',
    onFolder(async (millrace) => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const run = millrace.spawn({ PORT: String(port) });
      await expect(run.end()).resolves.toEqual({ code: 1, signal: null });
      server.close();
      expect(run.complaints.trim()).toBe(
        `Port ${port} is in use by another program. ` + `Stop that, or choose another port: PORT=${port + 1} npm start`,
      );
      expect(run.output).toBe('');
    }),
    TEST_MAX_MS,
  );

  it(
    'names a setting that is wrong',
    onFolder(async (millrace) => {
      const run = millrace.spawn({ LEASE_MS: '1' });
      await expect(run.end()).resolves.toEqual({ code: 1, signal: null });
      expect(run.complaints).toMatch(/^\nThe configuration is not valid:\n {2}LEASE_MS: .+\n$/);
      await expect(stat(millrace.dataFolder)).rejects.toThrow('ENOENT');
    }),
    TEST_MAX_MS,
  );

  it(
    'explains itself with --help',
    onFolder(async (millrace) => {
      const run = millrace.spawn({}, ['--help']);
      await expect(run.end()).resolves.toEqual({ code: 0, signal: null });
      expect(run.output).toContain('PORT=9000 npm start');
      await expect(stat(millrace.dataFolder)).rejects.toThrow('ENOENT');
    }),
    TEST_MAX_MS,
  );

  it(
    'can be stopped while it starts',
    onFolder(async (millrace) => {
      const run = millrace.spawn();
      await run.untilSaid('Starting Postgres');
      await eventually('Postgres is being made or started', async () => (await millrace.processes()).length > 0);
      run.signal('SIGTERM');
      await expect(run.end()).resolves.toEqual({ code: 0, signal: null });
      expect(run.complaints).toBe('');
      expect(await millrace.processes()).toEqual([]);
    }),
    TEST_MAX_MS,
  );

  it(
    'stops at once at the second signal, and leaves nothing running',
    onFolder(async (millrace) => {
      const run = await millrace.start();
      const { release } = holdUpload(run.asAdmin);
      await untilUploading(millrace.dataFolder);
      run.signal('SIGINT');
      await run.untilSaid('Stopping');
      run.signal('SIGINT');
      await expect(run.end()).resolves.toEqual({ code: 130, signal: null });
      release();
      await eventually('nothing runs any more', async () => (await millrace.processes()).length === 0);
    }),
    TEST_MAX_MS,
  );

  it(
    'tells a client whose statement does not end in time',
    onFolder(async (millrace) => {
      const run = await millrace.start({ DRAIN_MS: '500' });
      const answer = run.asAdmin
        .call('query.run', { body: { sql: 'SELECT count(*) FROM range(10000000000000)' } })
        .catch((error: unknown) => error);
      await eventually('the query runs', async () => {
        const { body } = await run.asAdmin.call('query.list', { query: { status: 'running' } });
        return body.queries.length > 0;
      });
      run.signal('SIGTERM');
      await expect(answer).resolves.toMatchObject({ problem: { status: 503, code: 'query.lost', retryable: true } });
      await expect(run.end()).resolves.toEqual({ code: 0, signal: null });
      expect(await millrace.processes()).toEqual([]);
    }),
    TEST_MAX_MS,
  );

  it(
    'ends with code 1 after an error that nobody handles, says why, and leaves nothing running',
    onFolder(async (millrace) => {
      const injected = 'process.once("SIGUSR2",()=>void(Promise.reject(new Error("injected"))))';
      const run = await millrace.start({
        NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(injected)}`,
      });
      run.signal('SIGUSR2');
      await expect(run.end()).resolves.toEqual({ code: 1, signal: null });
      expect(run.complaints).toContain('\ninjected\n');
      expect(run.complaints).toContain(join(millrace.dataFolder, 'millrace.log'));
      await expect(
        execute('grep', ['"level":"fatal"', join(millrace.dataFolder, 'millrace.log')]),
      ).resolves.toMatchObject({
        stdout: expect.stringContaining('"stack":"Error: injected'),
      });
      expect(await millrace.processes()).toEqual([]);
    }),
    TEST_MAX_MS,
  );

  const ordinary = ordinaryUser();
  it(
    `runs as ${ordinary.description}`,
    () =>
      MillraceOnFolder.use(
        async (millrace) => {
          const run = millrace.spawn();
          if (!ordinary.canRun) {
            // Where that user can't even read the program, the start fails, and this test shows it.
            await expect(run.end()).resolves.not.toMatchObject({ code: 0 });
            return;
          }
          await run.ready();
          await createTable(run);
          await expect(countOf(run, 'kept')).resolves.toEqual([[2]]);
          run.signal('SIGTERM');
          await expect(run.end()).resolves.toEqual({ code: 0, signal: null });
          expect(await millrace.processes()).toEqual([]);
        },
        { user: ordinary.user },
      ),
    TEST_MAX_MS,
  );
});

interface Drain {
  readonly send: (run: MillraceRun) => void;
  /** Whether a query is under way, too. */
  readonly query: boolean;
}

/** Ends a run while calls are under way, which all have to end well. */
async function drain(millrace: MillraceOnFolder, run: MillraceRun, { send, query }: Drain): Promise<void> {
  const upload = holdUpload(run.asAdmin);
  await untilUploading(millrace.dataFolder);
  const answer = query ? await startQuery(run) : undefined;
  send(run);
  await run.untilSaid('Stopping');
  upload.release();
  if (answer) await expect(answer.rows()).resolves.toEqual([[59_999_998]]);
  await expect(upload.answer).resolves.toMatchObject({ status: 'pending', size_bytes: HELD_UPLOAD_BYTES });
  await expect(run.end()).resolves.toEqual({ code: 0, signal: null });
  expect(run.complaints).toBe('');
  expect(await millrace.processes()).toEqual([]);
}

/** Starts a query that takes a second or more, and waits until it runs. */
async function startQuery(run: MillraceRun): Promise<{ rows: () => Promise<unknown> }> {
  const sql = 'SELECT count(*) AS n FROM range(60000000) t(i) WHERE sqrt(i) > 1';
  const answer = run.asAdmin.call('query.run', { body: { sql } });
  answer.catch(() => undefined);
  await eventually('the query runs', async () => {
    const { body } = await run.asAdmin.call('query.list', { query: { status: 'running' } });
    return body.queries.length > 0;
  });
  return { rows: async () => (await answer).body.rows };
}

async function createTable(run: MillraceRun): Promise<void> {
  const source = { inline: { format: 'csv' as const, content: 'n\n1\n2' } };
  await run.asAdmin.call('dataset.create', { body: { label: 'Kept', source } });
}

async function countOf(run: MillraceRun, table: string): Promise<unknown> {
  const { body } = await run.asAdmin.call('query.run', { body: { sql: `SELECT count(*) FROM datasets.${table}` } });
  return body.rows;
}

/** The commands of a text that are indented by two spaces, with their continued lines. */
function commandsIn(text: string): string[] {
  return text.match(/^ {2}curl (?:.*\\\n)*.*$/gm) ?? [];
}

async function paste(command: string | undefined): Promise<unknown> {
  const { stdout } = await execute('bash', ['-c', command ?? 'false'], { timeout: TEST_MAX_MS });
  return JSON.parse(stdout);
}

async function modesIn(folder: string, names: readonly string[]): Promise<string[]> {
  const stats = await Promise.all(names.map((name) => stat(join(folder, name))));
  return stats.map(({ mode }) => (mode & 0o777).toString(8));
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
