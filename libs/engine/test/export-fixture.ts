import { rm } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import type { Column } from '@millrace/domain';
import type { EnginePoolOptions } from '../src/pool/engine-options.js';
import type { TableExport } from '../src/pool/table-export.js';
import type { ExportFormat, ExportRequest } from '../src/tasks/export.task.js';
import { PoolFixture } from './pool-fixture.js';

export interface StoredTable {
  readonly files: readonly string[];
  readonly columns: readonly Column[];
}

export interface ExportOptions extends Partial<ExportRequest> {
  readonly tenantId?: string;
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
}

/** Stored tables that leave a pool, for specs. */
export class ExportFixture {
  private constructor(readonly base: PoolFixture) {}

  static async open(options: Partial<EnginePoolOptions> = {}): Promise<ExportFixture> {
    return new ExportFixture(await PoolFixture.open(options));
  }

  /** Stores the rows of a statement. */
  async store(sql: string): Promise<StoredTable> {
    const { filePath, columns } = await this.base.query(sql, { rowsMax: 1, deadlineMs: 60_000 });
    return { files: [filePath], columns };
  }

  async start(table: StoredTable, format: ExportFormat, options: ExportOptions = {}): Promise<TableExport> {
    const { tenantId = 'tenant-a', deadlineMs = 60_000, signal, ...rest } = options;
    return this.base.pool.export({ ...table, format, ...rest }, { tenantId, deadlineMs, signal });
  }

  async bytes(table: StoredTable, format: ExportFormat, options: ExportOptions = {}): Promise<Buffer> {
    const { body } = await this.start(table, format, options);
    return buffer(body);
  }

  async text(table: StoredTable, format: ExportFormat, options: ExportOptions = {}): Promise<string> {
    return (await this.bytes(table, format, options)).toString('utf8');
  }

  /** What a statement gives in a format. */
  async exported(sql: string, format: ExportFormat): Promise<string> {
    const table = await this.store(sql);
    const text = await this.text(table, format);
    for (const file of table.files) await rm(file);
    return text;
  }

  async close(): Promise<void> {
    await this.base.close();
  }
}
