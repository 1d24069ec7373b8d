import { type DuckDBConnection, DuckDBInstance, type DuckDBType, type DuckDBValue } from '@duckdb/node-api';
import type { Column } from '@millrace/domain';
import { selectStored } from '../src/child/table-view.js';
import { contractValue } from './contract-value.js';

/** A table as DuckDB itself holds it, without Millrace. */
export interface RawTable {
  readonly names: readonly string[];
  readonly types: readonly string[];
  /** The same types as trees. */
  readonly columnTypes: readonly DuckDBType[];
  /** As DuckDB's client hands them out. */
  readonly values: readonly (readonly DuckDBValue[])[];
  /** By the contract's rule for values. */
  readonly rows: readonly (readonly unknown[])[];
}

/** DuckDB in the process of a spec, as the judge of what a statement gives. */
export class RawDuckdb {
  private constructor(
    private readonly instance: DuckDBInstance,
    readonly connection: DuckDBConnection,
  ) {}

  static async open(): Promise<RawDuckdb> {
    const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
    const connection = await instance.connect();
    await connection.run(`SET GLOBAL TimeZone = 'UTC'`);
    return new RawDuckdb(instance, connection);
  }

  async table(sql: string): Promise<RawTable> {
    const description = await this.connection.runAndReadAll(`DESCRIBE ${sql}`);
    const reader = await this.connection.runAndReadAll(sql);
    const columnTypes = reader.columnTypes();
    const values = reader.getRows();
    return {
      names: description.getRows().map(([name]) => String(name)),
      types: description.getRows().map(([, type]) => String(type)),
      ...{ columnTypes, values },
      rows: values.map((row) =>
        row.map((value, index) => {
          const type = columnTypes[index];
          if (!type) throw new Error('A value without a column.');
          return contractValue(value, type);
        }),
      ),
    };
  }

  /** The cells as text, by DuckDB's own cast: unlike the contract's JSON it tells apart all that a value has. */
  async texts(from: string): Promise<unknown[][]> {
    const reader = await this.connection.runAndReadAll(`SELECT COLUMNS(*)::VARCHAR FROM (${from})`);
    return reader.getRows();
  }

  /** The values as DuckDB's client hands them out. */
  async values(from: string): Promise<unknown[][]> {
    return (await this.connection.runAndReadAll(from)).getRows();
  }

  /** The values of a file in storage form, made again by the columns that came with it. */
  async storedValues(path: string, columns: readonly Column[]): Promise<unknown[][]> {
    return this.values(selectStored([path], columns));
  }

  async run(sql: string): Promise<void> {
    await this.connection.run(sql);
  }

  close(): void {
    this.connection.closeSync();
    this.instance.closeSync();
  }
}
