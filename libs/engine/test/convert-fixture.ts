import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ConvertRequest, ConvertResult } from '../src/tasks/convert.task.js';
import { PoolFixture } from './pool-fixture.js';

/** A pool that converts bytes, for specs. */
export class ConvertFixture {
  private constructor(readonly base: PoolFixture) {}

  static async open(memoryBytes = 1024 ** 3): Promise<ConvertFixture> {
    return new ConvertFixture(await PoolFixture.open({ memoryBytes }));
  }

  async convert(
    bytes: string | Uint8Array,
    request: Partial<ConvertRequest> & { deadlineMs?: number; onProgress?: (progress: number) => void } = {},
  ): Promise<ConvertResult> {
    const { deadlineMs = 50_000, onProgress, ...rest } = request;
    const file = join(this.base.folder, randomBytes(6).toString('hex'));
    await writeFile(file, bytes);
    return this.base.pool.run({ kind: 'convert', file, ...rest }, { tenantId: 'tenant-a', deadlineMs, onProgress });
  }

  /** The first 100 rows of a converted file. */
  async rowsOf({ files, columns }: ConvertResult): Promise<unknown[][]> {
    const page = await this.base.pool.run(
      { kind: 'read', files: files.map(({ path }) => path), columns, offset: 0, limit: 100, answerBytesMax: 1_000_000 },
      { tenantId: 'tenant-a', deadlineMs: 20_000 },
    );
    return JSON.parse(page.rowsJson) as unknown[][];
  }

  async close(): Promise<void> {
    await this.base.close();
  }
}
