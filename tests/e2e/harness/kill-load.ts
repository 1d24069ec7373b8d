import { setTimeout as sleep } from 'node:timers/promises';
import { ProblemError, type MillraceClient } from '@millrace/contract';
import { keptAnswer } from './kept-answer.js';

/** What the service has promised, by what it answered. */
export class Promises {
  /** Uploads by id, with their size. */
  readonly uploads = new Map<string, number>();
  /** Tables that were called ready, with their rows. */
  readonly tables = new Map<string, number>();
  /** Results by id, with their rows. */
  readonly results = new Map<string, number>();

  /** Whether something of each kind was promised. */
  areOfEachKind(): boolean {
    return [this.uploads, this.tables, this.results].every(({ size }) => size > 0);
  }
}

/** Contents of files: few, so that the same bytes are uploaded again and again and references are shared. */
const FILE_ROWS = [10, 200, 3_000];

/** Load ends by itself after this, also when a test has failed and stops nothing. */
const LOAD_MAX_MS = 240_000;

/** After an error, so that a service that is away is not asked without end. */
const PAUSE_MS = 50;

let tables = 0;

export interface Load {
  /** Of all calls so far. */
  readonly errors: readonly unknown[];
  /** Ends after the calls that are under way. Gives the errors of all calls. */
  stop(): Promise<unknown[]>;
}

/**
 * Uploads, makes tables and queries as fast as the service answers, in three lanes.
 *
 * @param promises is filled with what was acknowledged
 */
export function startLoad(client: MillraceClient, promises: Promises): Load {
  const errors: unknown[] = [];
  let isStopped = false;
  const untilMs = Date.now() + LOAD_MAX_MS;
  const lanes = [uploading, makingTables, querying].map(async (work) => {
    for (let turn = 0; !isStopped && Date.now() < untilMs; turn += 1) {
      await work(client, promises, turn).catch(async (error: unknown) => {
        errors.push(error);
        await sleep(PAUSE_MS);
      });
    }
  });
  return {
    errors,
    stop: async () => {
      isStopped = true;
      await Promise.all(lanes);
      return errors;
    },
  };
}

/** Whether an error is one that a caller expects of a process that dies and comes back: try again. */
export function isPassing(error: unknown): boolean {
  if (error instanceof ProblemError) return error.problem.retryable;
  const { name, message } = error as Error;
  return name === 'TypeError' && /^(fetch failed|terminated)$/.test(message);
}

async function uploading(client: MillraceClient, promises: Promises, turn: number): Promise<void> {
  const body = csvOf(FILE_ROWS[turn % FILE_ROWS.length] ?? 1);
  const { body: upload } = await client.call('file.upload', { body, headers: { 'content-type': 'text/csv' } });
  promises.uploads.set(upload.id, upload.size_bytes);
}

async function makingTables(client: MillraceClient, promises: Promises, turn: number): Promise<void> {
  const rows = FILE_ROWS[turn % FILE_ROWS.length] ?? 1;
  const body = csvOf(rows);
  // Every other one is converted, though the same bytes were before: of that type they were not.
  const type = turn % 2 === 0 ? 'text/csv' : `text/csv; table=${tables}`;
  const { body: upload } = await client.call('file.upload', { body, headers: { 'content-type': type } });
  promises.uploads.set(upload.id, upload.size_bytes);
  const label = `load ${(tables += 1)}`;
  const source = { upload_id: upload.id };
  const { body: dataset } = await client.call('dataset.create', { body: { label, source } });
  if (dataset.status === 'ready') promises.tables.set(dataset.table_name, rows);
}

async function querying(client: MillraceClient, promises: Promises, turn: number): Promise<void> {
  const rows = 1_000 * (turn + 1);
  const sql = `SELECT i, md5(i::VARCHAR) AS h FROM range(${rows}) t(i)`;
  const { body } = await client.call('query.run', { body: { sql, limit_rows: 1 } });
  promises.results.set(keptAnswer(body).result_id, rows);
}

export function csvOf(rows: number): string {
  return `id,name,amount\n${Array.from({ length: rows }, (_, row) => `${row},name ${row},${row * 1.5}\n`).join('')}`;
}

/** About 22 bytes a row; one block again and again, because making it must not take longer than reading it. */
export function largeCsvOf(blocks: number): { content: string; rowCount: number } {
  const block = Array.from({ length: LARGE_BLOCK_ROWS }, (_, row) => `${row},name ${row},${row * 1.5}\n`).join('');
  return { content: `id,name,amount\n${block.repeat(blocks)}`, rowCount: LARGE_BLOCK_ROWS * blocks };
}

const LARGE_BLOCK_ROWS = 10_000;
