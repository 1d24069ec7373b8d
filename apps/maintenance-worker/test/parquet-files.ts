import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EnginePool } from '@millrace/engine';

const MiB = 1024 ** 2;

/** Writes the rows of a statement as the query service does: by an engine process, into Parquet. */
export async function parquetOf(statements: readonly string[]): Promise<Buffer[]> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-parquet-'));
  // Engine processes run as another user and have to pass.
  await chmod(folder, 0o711);
  const engine = new EnginePool({ workDir: folder, childrenMax: 1, memoryBytes: 256 * MiB });
  try {
    const files: Buffer[] = [];
    for (const sql of statements) files.push(await runInto(engine, sql));
    return files;
  } finally {
    await engine.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function runInto(engine: EnginePool, sql: string): Promise<Buffer> {
  const limits = { rowsMax: 1, answerBytesMax: MiB, resultBytesMax: 1024 * MiB };
  const { filePath } = await engine.run(
    { kind: 'query', sql, inputs: [], ...limits },
    { tenantId: 'test', deadlineMs: 30_000 },
  );
  return readFile(filePath);
}
