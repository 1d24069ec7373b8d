import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { DEFAULT_CONVERT_LIMITS } from '../tasks/convert.task.js';
import { openCsv } from './convert/csv-source.js';
import { JsonOutline } from './convert/json-outline.js';
import { openJson } from './convert/json-source.js';
import { openParquet } from './convert/parquet-source.js';
import type { TableSource } from './convert/table-source.js';
import { runQuery } from './run-query.js';
import type { TaskContext } from './task-context.js';
import { PhaseClock } from './phase-clock.js';

/** A device without room: each write to it fails with ENOSPC, as on a full disk. */
const FULL_DISK = '/dev/full';
const LIMITS = DEFAULT_CONVERT_LIMITS;

describe('a full disk', () => {
  let folder: string;
  let connection: DuckDBConnection;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-full-'));
    connection = await (await DuckDBInstance.create(':memory:')).connect();
    await connection.run('SET GLOBAL errors_as_json=true');
  });
  afterAll(async () => {
    connection.closeSync();
    await rm(folder, { recursive: true });
  });

  const context = (): TaskContext => ({
    connection,
    outputPath: FULL_DISK,
    scratchDir: folder,
    signal: new AbortController().signal,
    onProgress: () => undefined,
    phases: new PhaseClock(),
  });

  it('is no mistake of the statement', async () => {
    const request = { sql: 'SELECT 42', inputs: [], rowsMax: 1, answerBytesMax: 100, resultBytesMax: 1_000 };
    await expect(runQuery(request, context())).rejects.toMatchObject({ code: 'storage.full' });
  });

  const open: Record<string, () => Promise<TableSource>> = {
    csv: async () => {
      const path = join(folder, 'a.csv');
      await writeFile(path, 'a,b\n1,2\n');
      return openCsv(connection, { path, request: { file: path }, limits: LIMITS, effort: 'whole' });
    },
    json: async () => {
      const path = join(folder, 'a.json');
      await writeFile(path, '{"a": 1}\n');
      const outline = new JsonOutline(LIMITS.nestingMax);
      return openJson(context(), { path, request: { file: path }, limits: LIMITS, outline });
    },
    parquet: async () => {
      const path = join(folder, 'a.parquet');
      await connection.run(`COPY (SELECT 1 AS a) TO '${path}' (FORMAT parquet)`);
      return openParquet(connection, path, { file: path }, LIMITS);
    },
  };

  it.each(Object.keys(open))('is no fault of a file: %s', async (format) => {
    const source = await open[format]?.();
    const failed = connection.run(`COPY (${source?.select}) TO '${FULL_DISK}' (FORMAT parquet, USE_TMP_FILE false)`);
    const error: unknown = await failed.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(await source?.explain(error)).toMatchObject({ code: 'storage.full' });
  });
});
