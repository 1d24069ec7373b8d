import { type RecordBatch, RecordBatchReader, type Schema } from 'apache-arrow';
import { ParquetFile, type ReaderOptions } from 'parquet-wasm';
import { toReadError } from './arrow-error.js';
import { FileBlob } from './file-blob.js';

const BATCH_ROWS = 8_192;
/** The first slice of a file, which tells how long its rows are; and the least. */
const SLICE_ROWS_MIN = 2_048;
/** Of a slice in Arrow, about: a whole row group of long and equal texts takes a thousand times its size in the file. */
const SLICE_BYTES = 32 * 1024 ** 2;

/**
 * A Parquet file of ours in storage form. It is read in slices of its row groups: the reader holds the compressed row group
 * and decodes one slice of it.
 */
export class StoredBatches {
  private sliceRows = SLICE_ROWS_MIN;

  private constructor(
    private readonly blob: FileBlob,
    private readonly file: ParquetFile,
    readonly schema: Schema,
  ) {}

  /** @throws DomainError `result.corrupt`, `query.memory` */
  static async open(path: string): Promise<StoredBatches> {
    const blob = FileBlob.open(path);
    try {
      const file = await ParquetFile.fromFile(blob);
      const reader = RecordBatchReader.from(file.schema().intoIPCStream()).open();
      return new StoredBatches(blob, file, reader.schema);
    } catch (error) {
      blob.close();
      throw toReadError(error);
    }
  }

  /**
   * @param limit of rows
   * @throws DomainError `result.corrupt`, `query.memory`
   */
  async *read(limit: number): AsyncGenerator<RecordBatch> {
    let left = limit;
    for (const [group, rows] of this.rowGroups().entries()) {
      for (let offset = 0; offset < rows && left > 0;) {
        const count = Math.min(this.sliceRows, rows - offset, left);
        yield* RecordBatchReader.from(await this.readSlice(group, offset, count));
        offset += count;
        left -= count;
      }
    }
  }

  /**
   * All rows as one batch: of a file that is small, and has one row group. Undefined when there are none.
   *
   * @throws DomainError `result.corrupt`, `query.memory`
   */
  async readWhole(): Promise<RecordBatch | undefined> {
    const [rows = 0, ...others] = this.rowGroups();
    if (others.length > 0) throw new Error('A file to be read whole has several row groups.');
    if (rows === 0) return undefined;
    const bytes = await this.readRows({ rowGroups: [0], batchSize: rows });
    const [batch] = RecordBatchReader.from(bytes);
    if (batch?.numRows !== rows) throw new Error('A file to be read whole came in pieces.');
    return batch;
  }

  close(): void {
    this.file.free();
    this.blob.close();
  }

  /** The rows of each. */
  private rowGroups(): number[] {
    const metadata = this.file.metadata();
    return Array.from({ length: metadata.numRowGroups() }, (_, index) => metadata.rowGroup(index).numRows());
  }

  /** Rows of a row group as an IPC stream; the next slice has about as many as fit. */
  private async readSlice(rowGroup: number, offset: number, limit: number): Promise<Uint8Array> {
    const bytes = await this.readRows({ rowGroups: [rowGroup], offset, limit, batchSize: BATCH_ROWS });
    this.sliceRows = Math.max(SLICE_ROWS_MIN, Math.floor((SLICE_BYTES * limit) / bytes.byteLength));
    return bytes;
  }

  private async readRows(options: ReaderOptions): Promise<Uint8Array> {
    try {
      const table = await this.file.read(options);
      return table.intoIPCStream();
    } catch (error) {
      throw toReadError(error);
    }
  }
}
