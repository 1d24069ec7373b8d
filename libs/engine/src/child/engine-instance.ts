import { mkdir } from 'node:fs/promises';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import type { ChildConfig } from '../pool/wire.js';
import { lockDown, prepareConnection } from './settings.js';

/**
 * The DuckDB instance of this process. Under tenant isolation it stays warm from task to task; under statement
 * isolation each task has a new one that may read its own files only.
 */
export class EngineInstance {
  private instance: DuckDBInstance | undefined;

  constructor(private readonly config: ChildConfig) {}

  /** Loads DuckDB and locks an instance, so that a bad setting shows before any task. */
  async open(): Promise<void> {
    await mkdir(`${this.config.scratchDir}/tmp`, { recursive: true });
    this.instance = await this.create(this.inputFiles([]));
  }

  /** Runs a task with a connection of its own to an instance that may read these files. */
  async use<T>(files: readonly string[], work: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    if (this.config.isolation === 'statement') await this.renew(files);
    if (!this.instance) throw new Error('The instance is not open.');
    return connected(this.instance, work);
  }

  /**
   * Runs a task with an instance of its own that may read these files and has one thread. With more, an ordered COPY
   * keeps a whole row group in memory for each of them: 2.4 GB where one thread needs 150 MB, at five times the work.
   */
  async useAlone<T>(files: readonly string[], work: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    const alone = await this.create(this.inputFiles(files), 1);
    try {
      return await connected(alone, work);
    } finally {
      alone.closeSync();
    }
  }

  private async renew(files: readonly string[]): Promise<void> {
    this.instance?.closeSync();
    this.instance = undefined;
    this.instance = await this.create(this.inputFiles(files));
  }

  private inputFiles(files: readonly string[]): { folder: string } | { files: readonly string[] } {
    if (this.config.role === 'parse') return { files: [] };
    // Two tables may have the same file, and DuckDB shows each path once.
    return this.config.isolation === 'statement' ? { files: [...new Set(files)] } : { folder: this.config.inputsDir };
  }

  private async create(
    readable: { folder: string } | { files: readonly string[] },
    threads = this.config.threads,
  ): Promise<DuckDBInstance> {
    const instance = await DuckDBInstance.create(':memory:');
    await lockDown(instance, { ...this.config, threads }, readable);
    return instance;
  }
}

async function connected<T>(instance: DuckDBInstance, work: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
  const connection = await instance.connect();
  try {
    await prepareConnection(connection);
    return await work(connection);
  } finally {
    connection.closeSync();
  }
}
