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
  /** For the next task, made while nobody waits for it. */
  private ahead: Promise<DuckDBConnection> | undefined;

  constructor(private readonly config: ChildConfig) {}

  /** Loads DuckDB and locks an instance, so that a bad setting shows before any task. */
  async open(): Promise<void> {
    await mkdir(`${this.config.scratchDir}/tmp`, { recursive: true });
    this.instance = await this.create(this.inputFiles([]));
    if (this.config.isolation === 'tenant') this.ahead = Promise.resolve(await openConnection(this.instance));
  }

  /** Runs a task with a connection of its own to an instance that may read these files. */
  async use<T>(files: readonly string[], work: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    if (this.config.isolation === 'statement') await this.renew(files);
    const { instance, ahead } = this;
    if (!instance) throw new Error('The instance is not open.');
    // Also when it could not be opened: the next task tries again.
    this.ahead = undefined;
    const connection = await (ahead ?? openConnection(instance));
    try {
      return await work(connection);
    } finally {
      connection.closeSync();
      if (this.config.isolation === 'tenant') this.connectAhead(instance);
    }
  }

  /**
   * Runs a task with an instance of its own that may read these files and has one thread. With more, an ordered COPY
   * keeps a whole row group in memory for each of them: 2.4 GB where one thread needs 150 MB, at five times the work.
   */
  async useAlone<T>(files: readonly string[], work: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    const alone = await this.create(this.inputFiles(files), 1);
    try {
      const connection = await openConnection(alone);
      try {
        return await work(connection);
      } finally {
        connection.closeSync();
      }
    } finally {
      alone.closeSync();
    }
  }

  private connectAhead(instance: DuckDBInstance): void {
    this.ahead = openConnection(instance);
    // The task that takes it sees the error.
    this.ahead.catch(() => undefined);
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

async function openConnection(instance: DuckDBInstance): Promise<DuckDBConnection> {
  const connection = await instance.connect();
  try {
    await prepareConnection(connection);
    return connection;
  } catch (error) {
    connection.closeSync();
    throw error;
  }
}
